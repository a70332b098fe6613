"""`python -m bench.gpu`: the dense engine on a GPU, held to the event engine's numbers and timed.

The network and its images are those of `make bench`; `python -m bench.gpu --prepare` puts them into
`bench/.cache/network`, so that a machine with a GPU needs neither the data nor Hydra, MLflow or DVC
to read them there. Nothing is written if one number differs.
"""

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.simulation.result import SimulationResult
from ann2snn.simulation.settings import SimulationSettings, available_cores
from ann2snn.simulation.simulate import run_blocks
from bench.machine import machine
from bench.network import CACHE, PROJECT, Measured, measured, prepare

FOLDER = CACHE / "network"
BLOCKS = (250, 500, 1000)
STEPS = 300
TRIAL = 1000  # images by which the fastest block is chosen


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    options.add_argument("--prepare", action="store_true", help="only puts the network there")
    options.add_argument("--images", type=int, default=10_000, help="test images, 10000 if not set")
    chosen = options.parse_args()
    if chosen.images < 1:
        options.error(f"--images must be at least 1, got {chosen.images}")
    if chosen.prepare or not (FOLDER / "network.json").is_file():
        prepare(FOLDER)
    if chosen.prepare:
        return
    if not torch.cuda.is_available():
        raise SystemExit("bench.gpu: torch finds no GPU")
    content = compare(measured(FOLDER), images=chosen.images)
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    print(text)
    (PROJECT / "bench" / "gpu.json").write_text(text + "\n", encoding="utf-8")


def compare(network: Measured, images: int, device: str = "cuda", steps: int = STEPS) -> Any:
    """Times of both engines over the same images, at most all there are, once their numbers are
    found equal: one run each, the dense engine with the fastest of some sizes of blocks.

    Raises:
        SystemExit: a number differs; names where.
    """
    images = min(images, len(network.images))
    few = min(images, TRIAL)
    run(network, few, 10, engine="dense", device=device)  # starts the device
    blocks = {
        block: run(network, few, steps, engine="dense", device=device, block=block)
        for block in sorted({min(block, few) for block in BLOCKS})
    }
    fastest = min(blocks, key=lambda block: blocks[block][1])
    gpu, seconds = run(network, images, steps, engine="dense", device=device, block=fastest)
    run(network, few, 10, engine="event")  # compiles
    event, event_seconds = run(network, images, steps, engine="event")
    different = list(differences(gpu, event))
    if different:
        raise SystemExit(
            f"bench.gpu: the GPU gives other numbers than the event engine: {different}"
        )
    return {
        "machine": machine(),
        "gpu": torch.cuda.get_device_name(0) if device == "cuda" else None,
        "network": network.name,
        "dataset": network.dataset,
        "images": images,
        "steps": steps,
        "accuracy": round(float(gpu.accuracy()[-1]), 2),
        "cores": available_cores(),
        "dense": row(gpu, seconds) | {"block": fastest},
        "event": row(event, event_seconds),
        "blocks": {str(block): row(*found) for block, found in blocks.items()},
    }


def run(
    network: Measured, images: int, steps: int, **toggles: Any
) -> tuple[SimulationResult, float]:
    """The first `images` simulated, and the seconds that took."""
    settings = SimulationSettings(steps=steps, **toggles)
    started = time.perf_counter()
    found = run_blocks(network.spec, network.images[:images], network.labels[:images], settings)
    return found, time.perf_counter() - started


def row(found: SimulationResult, seconds: float) -> dict[str, Any]:
    """A run's time in all and for an image and step, and what of it went through float64."""
    return {
        "seconds": round(seconds, 2),
        "microseconds": round(seconds * 1e6 / (found.images * found.steps), 3),
        "precision": found.precision,
        "repeated": found.repeated,
    }


def differences(one: SimulationResult, other: SimulationResult) -> Iterator[str]:
    """Names of the counts and answers in which two runs of the same images differ."""
    ours, theirs = dict(numbers(one)), dict(numbers(other))
    yield from sorted(ours.keys() ^ theirs.keys())
    for name in sorted(ours.keys() & theirs.keys()):
        if not np.array_equal(ours[name], theirs[name]):
            yield name


def numbers(result: SimulationResult) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """All that a result holds of its images, by name."""
    for field in (
        "right", "undecided", "predictions", "lasting", "spikes", "synops", "pool_operations",
    ):  # fmt: skip
        for name, values in getattr(result, field).items():
            yield f"{field}/{name}", values
    for margin, (answers, exits) in result.exits.items():
        yield f"exit answers/{margin:g}", answers
        yield f"exit steps/{margin:g}", exits


if __name__ == "__main__":
    main()
