"""The dense engine: plain torch on any device, the reference for every other."""

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.simulation.engines import ENGINES, Supported, missing_support

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from ann2snn.simulation.image_block import Block
    from ann2snn.simulation.settings import SimulationSettings
    from ann2snn.spec import SpikingSpec


class Dense:
    """Takes every mechanism from its row, so it supports all of them; of the kinds of spike those
    that count as 0 or 1."""

    name = "dense"
    meaning = "plain torch, readable, on any device"
    narrow = "float32"
    devices: tuple[str, ...] = ("cpu", "cuda")
    compares = True
    rank = 1

    def lacks(self, spec: "SpikingSpec") -> list[str]:
        from ann2snn.simulation.engines.dense.steps import STEPS

        counted = {name for name, row in SPIKES.items() if row.levels == (0, 1)}
        supported: Supported = {
            "reset": RESETS, "pooling": POOLINGS, "input": INPUTS, "kind of spike": counted,
        }  # fmt: skip
        return missing_support(spec, supported, STEPS)

    def block(
        self,
        spec: "SpikingSpec",
        images: "npt.NDArray[np.integer]",
        places: "npt.NDArray[np.int64]",
        settings: "SimulationSettings",
        precision: str,
        units: dict[str, list[int]],
    ) -> "Block":
        from ann2snn.simulation.compared_rates import Watch
        from ann2snn.simulation.engines.dense import steps

        with _torchs_threads(settings.threads):
            watch = Watch(spec, images, places, settings.seed) if settings.compare else None
            block = steps.simulate_block(
                spec, images, places,
                steps=settings.steps, seed=settings.seed,
                precision=precision, device=settings.device, record=units, watch=watch,
            )  # fmt: skip
        if watch is not None:
            block.compared = watch.arrays()
        return block


@contextmanager
def _torchs_threads(threads: int) -> "Iterator[None]":
    """Within, torch has so many threads; 0 takes all cores."""
    import torch

    from ann2snn.simulation.settings import available_cores

    known, wanted = torch.get_num_threads(), threads or available_cores()
    try:
        if known != wanted:
            torch.set_num_threads(wanted)
        yield
    finally:
        if known != wanted:
            torch.set_num_threads(known)


ENGINES.add(Dense())
