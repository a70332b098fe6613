"""What needs a process of its own: peak memory, compilation, a later start.

`python -m bench.worker QUESTION FOLDER ARGUMENTS...` prints one JSON object.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.mode import MODES
from bench.network import Measured, measured

Answer = dict[str, Any]


def peak_mb() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory(network: Measured, tool: str, mode: str, batch: str, images: str, steps: str) -> Answer:
    """Peak of a run above the interpreter with its packages, the network and the images."""
    chosen = next(m for m in MODES if (m.tool, m.mode) == (tool, mode))
    simulation = chosen.build(network, int(batch))
    before = peak_mb()
    simulation(network.images[: int(images)], int(steps))
    return {"peak_mb": peak_mb() - before}


def blocks(network: Measured, images: str, steps: str) -> Answer:
    """Peak of `simulate` over many images, as the pipeline runs it."""
    from ann2snn import simulate

    count = int(images)
    before = peak_mb()
    result = simulate(
        network.spec, network.images[:count], network.labels[:count], steps=int(steps)
    )
    return {"peak_mb": peak_mb() - before, "accuracy": float(result.accuracy()[-1])}


def start(network: Measured) -> Answer:
    """Seconds of the first image's first step, imports done: kernels are compiled or loaded."""
    from ann2snn.simulation import event

    def once() -> float:
        started = time.perf_counter()
        event.simulate_block(network.spec, network.images[:1], np.zeros(1, np.int64), steps=1,
                             seed=0, threads=1)  # fmt: skip
        return time.perf_counter() - started

    first = once()
    return {"seconds": first - once()}


def statistics(network: Measured, images: str) -> Answer:
    """The activation statistics over calibration images against the plain forward pass."""
    from ann2snn.conversion.statistics import collect

    count = int(images)
    chosen = network.images[np.arange(count) % len(network.images)]
    module = network.module

    def plain() -> float:
        started = time.perf_counter()
        with torch.no_grad():
            for i in range(0, count, 100):
                module(torch.from_numpy(chosen[i : i + 100]).float() / 255)
        return time.perf_counter() - started

    def collected() -> float:
        started = time.perf_counter()
        collect(module, chosen, 255)
        return time.perf_counter() - started

    plain()
    pairs = [(plain(), collected()) for _ in range(2)]
    forward, seconds = (min(pair[i] for pair in pairs) for i in (0, 1))
    return {"forward_s": forward, "seconds": seconds, "ratio": seconds / forward,
            "peak_mb": peak_mb()}  # fmt: skip


QUESTIONS: dict[str, Callable[..., Answer]] = {
    "memory": memory, "blocks": blocks, "start": start, "statistics": statistics,
}  # fmt: skip


def main() -> None:
    question, folder, threads, *arguments = sys.argv[1:]
    torch.set_num_threads(int(threads))
    print(json.dumps(QUESTIONS[question](measured(Path(folder)), *arguments)))


if __name__ == "__main__":
    main()
