"""The event engine: compiled kernels for processors that work only for spikes. It loads no torch,
whose import takes longer than many a run."""

from typing import TYPE_CHECKING

from ann2snn.simulation.engines import ENGINES, missing_support

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ann2snn.simulation.image_block import Block
    from ann2snn.simulation.settings import SimulationSettings
    from ann2snn.spec import SpikingSpec


class Event:
    """Has kernels of its own for each mechanism, and lacks those that have none."""

    name = "event"
    meaning = "compiled kernels for processors, in whole numbers of 32 bits"
    narrow = "int32"
    devices: tuple[str, ...] = ("cpu",)
    compares = False
    rank = 0

    def lacks(self, spec: "SpikingSpec") -> list[str]:
        from ann2snn.simulation.engines.event.kernels.lowering import LOWERINGS
        from ann2snn.simulation.engines.event.kernels.operations import SUPPORTED

        return missing_support(spec, SUPPORTED, LOWERINGS)

    def block(
        self,
        spec: "SpikingSpec",
        images: "npt.NDArray[np.integer]",
        places: "npt.NDArray[np.int64]",
        settings: "SimulationSettings",
        precision: str,
        units: dict[str, list[int]],
    ) -> "Block":
        from ann2snn.simulation.engines.event import threads

        return threads.simulate_block(
            spec, images, places,
            steps=settings.steps, seed=settings.seed,
            precision=precision, threads=settings.threads, record=units,
        )  # fmt: skip


ENGINES.add(Event())
