"""The dense engine: it takes every mechanism from its row, so it supports all of them; of the kinds
of spike those of -1 to 2 spikes a step."""

from typing import TYPE_CHECKING

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.simulation.engines import ENGINES, Engine, Task, missing_support

if TYPE_CHECKING:
    from ann2snn.simulation.image_block import Block
    from ann2snn.spec import SpikingSpec


def _lacks(spec: "SpikingSpec") -> list[str]:
    from ann2snn.simulation.dense.steps import STEPS

    counted = [name for name, row in SPIKES.items() if {*row.levels} <= {-1, 0, 1, 2}]
    return missing_support(
        spec,
        {"reset": RESETS, "pooling": POOLINGS, "input": INPUTS, "kind of spike": counted},
        STEPS,
    )


def _block(task: Task) -> "Block":
    from ann2snn.simulation.dense.steps import run_task

    return run_task(task)


ENGINES.add(
    Engine(
        name="dense",
        meaning="plain torch, readable, on any device: the reference for every other",
        narrow="float32",
        devices=("cpu", "cuda"),
        compares=True,
        exits=False,
        rank=1,
        lacks=_lacks,
        block=_block,
    )
)
