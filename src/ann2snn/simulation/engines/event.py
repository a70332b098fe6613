"""The event engine: it has kernels of its own for each mechanism, and lacks those that have none.
It loads no torch, whose import takes longer than many a run."""

from typing import TYPE_CHECKING

from ann2snn.simulation.engines import ENGINES, Engine, Task, missing_support

if TYPE_CHECKING:
    from ann2snn.simulation.image_block import Block
    from ann2snn.spec import SpikingSpec


def _lacks(spec: "SpikingSpec") -> list[str]:
    from ann2snn.simulation.event.lowering import LOWERINGS
    from ann2snn.simulation.event.operations import SUPPORTED

    return missing_support(spec, SUPPORTED, LOWERINGS)


def _block(task: Task) -> "Block":
    from ann2snn.simulation.event.threads import simulate_block

    return simulate_block(
        task.spec, task.images, task.places, steps=task.settings.steps, seed=task.settings.seed,
        precision=task.precision, threads=task.settings.threads, record=task.units,
        exit_margin=task.settings.exit_margin, memory=task.settings.memory,
    )  # fmt: skip


ENGINES.add(
    Engine(
        name="event",
        meaning="compiled kernels for processors that work only for spikes",
        narrow="int32",
        devices=("cpu",),
        compares=False,
        exits=True,
        rank=0,
        lacks=_lacks,
        block=_block,
    )
)
