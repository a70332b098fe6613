"""What conversions and the choice of toggles need of a network, once for all of them: activation
statistics over the calibration set, and its answers to the validation images."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.records import Record, write_json

if TYPE_CHECKING:
    import torch

    from ann2snn.pipeline.chain import Chain


def analog_network(chain: "Chain") -> "torch.nn.Module":
    """The trained network of a chain, in eval mode."""
    from ann2snn.ann.network import build
    from ann2snn.ann.weights import load_weights

    shape = tuple(chain.manifest["shape"])
    module = build(chain.settings.ann, shape, len(chain.manifest["classes"]))
    load_weights(module, chain.obtain("ann") / "weights.safetensors")
    return module.eval()


def produce(chain: "Chain", folder: Path, partial: Path) -> Record:  # noqa: ARG001
    from safetensors.numpy import save_file

    from ann2snn.ann.weights import predict
    from ann2snn.conversion.agreement import hold_to_module
    from ann2snn.conversion.calibration import collect
    from ann2snn.conversion.trace import analog_graph
    from ann2snn.data.dataset import open_saved

    dataset = open_saved(chain.obtain("data"))
    images = dataset.train_images[dataset.calibration]
    network = analog_network(chain)
    graph = analog_graph(network, images.shape[1:])
    hold_to_module(network, graph, images, dataset.levels)
    statistics = collect(graph, images, dataset.levels)
    validation = dataset.train_images[dataset.validation]
    answers = predict(network, validation, dataset.levels)
    statistics.save(folder / "statistics.safetensors")
    save_file({"validation": answers}, folder / "answers.safetensors")
    write_json(folder / "summary.json", statistics.summary())
    return chain.make_record("statistics", {"images": len(images)}, {}, {})
