"""Step conversion: the spiking network of one choice of toggles."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.records import Record

if TYPE_CHECKING:
    from ann2snn.pipeline.chain import Chain


def produce(chain: "Chain", folder: Path, partial: Path) -> Record:  # noqa: ARG001
    from ann2snn.conversion.convert import converted
    from ann2snn.conversion.statistics import Statistics
    from ann2snn.conversion.trace import analog_graph
    from ann2snn.data.dataset import open_saved
    from ann2snn.mechanisms.calibrations import CALIBRATIONS
    from ann2snn.pipeline.statistics import analog_network
    from ann2snn.spec import save_spec
    from ann2snn.spec.cost import macs_per_image
    from ann2snn.spec.table import rows

    manifest = chain.manifest
    statistics = Statistics.load(chain.obtain("statistics") / "statistics.safetensors")
    graph = analog_graph(analog_network(chain), tuple(manifest["shape"]))
    toggles = chain.settings.conversion
    images = None
    if CALIBRATIONS[toggles.calibration].corrects:
        dataset = open_saved(chain.obtain("data"))
        images = dataset.train_images[dataset.calibration]
    conversion = converted(graph, statistics, toggles, manifest["levels"], images)
    spec = conversion.spec
    save_spec(spec, folder / "spec.safetensors")
    metrics = {"neurons": spec.neurons, "macs_per_image": macs_per_image(spec)}
    details = {
        "layers": rows(spec),
        "operations": [
            {"operation": fate.operation, "nodes": list(fate.nodes), "reason": fate.reason}
            for fate in conversion.fates
        ],
        "dead": list(conversion.dead),
        "outliers": {
            name: {"largest": layer.maximum, "percentile_99.9": layer.scale(99.9, "nonzero")}
            for name, layer in statistics.layers.items()
        },
    }
    return chain.make_record("conversion", metrics, {}, details)


if __name__ == "__main__":
    from ann2snn.pipeline.application import run

    run("conversion")
