"""Step ann: the analog network's weights, trained or given, and its answers on the test set."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.progress import Progress
from ann2snn.records import Json, Record, file_sha256

if TYPE_CHECKING:
    from ann2snn.pipeline.chain import Chain

OnEpoch = Callable[[int, dict[str, float]], None]
FILES = ("weights.safetensors", "predictions.safetensors")


def produce(chain: "Chain", folder: Path, partial: Path) -> Record:
    import numpy as np
    from safetensors.numpy import save_file

    from ann2snn.ann.network import build
    from ann2snn.ann.training import train
    from ann2snn.ann.weights import load_weights, predict, round_weights, save_weights
    from ann2snn.data.dataset import open_saved

    toggles = chain.settings.ann
    dataset = open_saved(chain.obtain("data"))
    history: dict[str, list[float]] = {}
    left_out = ""
    if toggles.weights:
        module = build(toggles, dataset.train_images.shape[1:], len(dataset.manifest["classes"]))
        left_out = load_weights(module, Path(toggles.weights))
    else:
        with _live(chain) as told, _counted(chain, told) as on_epoch:
            trained = train(toggles, dataset, partial, on_epoch)
        module, history = trained.module, trained.history
    if toggles.stored_as == "float16":
        round_weights(module)
    save_weights(module, folder / FILES[0], toggles.stored_as)
    predictions = np.asarray(predict(module, dataset.test_images, dataset.levels), np.int64)
    save_file({"predictions": predictions}, folder / FILES[1])
    metrics = {
        "test_accuracy": 100 * float((predictions == dataset.test_labels).mean()),
        "test_images": len(predictions),
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        **{name: curve[-1] for name, curve in history.items() if curve},
    }
    details: Json = {"files": {name: file_sha256(folder / name) for name in FILES}}
    if left_out:
        details["left_out_before_names"] = left_out
        print(f"{toggles.weights}: its names without {left_out} before them", file=sys.stderr)
    return chain.make_record("ann", metrics, history, details)


@contextmanager
def _live(chain: "Chain") -> Iterator[OnEpoch | None]:
    """What shows each epoch in MLflow as it ends, unless the run is not to be tracked."""
    if not chain.settings.run.track:
        yield None
        return
    from ann2snn.tracking.live import live_training

    values = {step: chain.toggles(step) for step in ("data", "ann")}
    words = {"dataset": str(chain.manifest["name"]), "network": chain.settings.ann.network}
    with live_training(chain.project, chain.key("ann"), words, values) as on_epoch:
        yield on_epoch


@contextmanager
def _counted(chain: "Chain", on_epoch: OnEpoch | None) -> Iterator[OnEpoch]:
    """`on_epoch`, told beside the epochs that are done."""
    toggles = chain.settings.ann
    title, shown = f"training {toggles.network}", chain.settings.run.progress
    with Progress(title, toggles.epochs, "epochs", shown=shown) as progress:

        def counted(epoch: int, numbers: dict[str, float]) -> None:
            progress.count(epoch)
            if on_epoch is not None:
                on_epoch(epoch, numbers)

        yield counted


if __name__ == "__main__":
    from ann2snn.pipeline.application import run

    run("ann")
