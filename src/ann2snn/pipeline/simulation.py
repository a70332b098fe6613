"""Step simulation: a spiking network over the test set, step by step."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.records import Record

if TYPE_CHECKING:
    from ann2snn.pipeline.chain import Chain


def produce(chain: "Chain", folder: Path, partial: Path) -> Record:  # noqa: ARG001
    from dataclasses import replace

    import numpy as np

    from ann2snn.data.dataset import open_saved
    from ann2snn.pipeline.answers import read_answers
    from ann2snn.simulation.simulate import run_blocks
    from ann2snn.spec import load_spec

    toggles = chain.settings.simulation
    shown = toggles.progress or chain.settings.run.progress
    dataset = open_saved(chain.obtain("data"))
    spec = load_spec(chain.obtain("conversion") / "spec.safetensors")
    if toggles.part == "test":
        images, labels = dataset.test_images, dataset.test_labels
        place, name = chain.obtain("ann") / "predictions.safetensors", "predictions"
    else:
        images = dataset.train_images[dataset.validation]
        labels = dataset.train_labels[dataset.validation]
        place, name = chain.obtain("statistics") / "answers.safetensors", "validation"
    answers = read_answers(place, name, len(labels), spec.classes)
    chosen = np.arange(len(labels))
    if 0 < toggles.images < len(chosen):
        order = np.random.default_rng(toggles.seed).permutation(len(chosen))
        chosen = np.sort(order[: toggles.images])
    result = run_blocks(
        spec,
        images,
        labels,
        replace(toggles, progress=shown),
        indices=chosen,
        partial=partial,
    )
    return chain.make_record(
        "simulation", result.metrics(answers[chosen]), result.curves(), result.details()
    )


if __name__ == "__main__":
    from ann2snn.pipeline.application import run

    run("simulation")
