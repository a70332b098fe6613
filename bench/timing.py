"""Time per image and step: modes in turn, again and again, and the least of each."""

import time
from dataclasses import dataclass

import torch

from bench.mode import Mode, Simulation
from bench.network import Measured


@dataclass
class Timed:
    """A mode with the batch it is fastest at, and its least time so far, in microseconds."""

    mode: Mode
    batch: int
    simulation: Simulation
    microseconds: float

    def repeat(self, network: Measured) -> None:
        """One more repetition."""
        found = microseconds(self.simulation, network, self.batch, self.mode.steps)
        self.microseconds = min(self.microseconds, found)


def microseconds(simulation: Simulation, network: Measured, images: int, steps: int) -> float:
    """Of one image and step, in one run."""
    chosen = network.images[:images]
    started = time.perf_counter()
    simulation(chosen, steps)
    return (time.perf_counter() - started) * 1e6 / (images * steps)


def prepared(mode: Mode, network: Measured) -> Timed:
    """The mode at its fastest batch; every batch runs once before it is measured.

    Raises:
        ImportError: the tool is not installed.
    """
    best: Timed | None = None
    for batch in mode.batches:
        simulation = mode.build(network, batch)
        simulation(network.images[:batch], min(mode.steps, 10))
        found = microseconds(simulation, network, batch, min(mode.steps, 20))
        if best is None or found < best.microseconds:
            best = Timed(mode, batch, simulation, found)
    assert best is not None
    best.microseconds = float("inf")
    return best


def measure(
    modes: tuple[Mode, ...], network: Measured, threads: int, repetitions: int
) -> tuple[list[Timed], dict[str, str]]:
    """All modes with `threads` threads, interleaved; and the tools left out, with the reason."""
    torch.set_num_threads(threads)
    timed: list[Timed] = []
    missing: dict[str, str] = {}
    for mode in modes:
        try:
            timed.append(prepared(mode, network))
        except ImportError as error:
            missing[f"{mode.tool}, {mode.mode}"] = f"not measured: {error}"
    for _ in range(repetitions):
        for each in timed:
            each.repeat(network)
    return timed, missing
