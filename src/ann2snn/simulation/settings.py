"""The toggles of a simulation."""

import os
from dataclasses import dataclass

from ann2snn.settings import SettingError, check, choice, flag, number
from ann2snn.simulation.engines import ENGINES

DEVICES = tuple(dict.fromkeys(name for row in ENGINES.values() for name in row.devices))


@dataclass(frozen=True)
class SimulationSettings:
    """How long, on which images, and by which engine.

    Raises:
        SettingError: a toggle is off its rule, or two do not go together.
    """

    steps: int = number(300, "time steps", low=1, high=100_000)
    part: str = choice(
        "test",
        ("test", "validation"),
        "images of the test set, or those of the training set that toggles may be chosen by",
    )
    images: int = number(0, "images, drawn without repetition by the seed; 0 takes all", low=0)
    seed: int = number(
        0, "of Poisson input, clock ticks and the choice of images", low=0, high=2**32 - 1
    )
    compare: bool = flag(
        False, "compares the rates of all neurons with their activations at every step, which"
        " takes the dense engine"
    )  # fmt: skip
    exit_margin: float = number(
        0.0, "an image stops where the output potential of its best class is so far ahead of the"
        " second; 0 takes all images through all steps", low=0
    )  # fmt: skip
    engine: str = choice(
        "auto", ("auto", *ENGINES), "which engine; all give the same", shapes_result=False
    )
    precision: str = choice(
        "auto",
        ("auto", "float64"),
        "of potentials and currents; auto takes 32 bits, and float64 for"
        " what could lose a bit there",
        shapes_result=False,
    )
    device: str = choice(
        "cpu", DEVICES, "of the dense engine", shapes_result=False, numbered=("cuda",)
    )
    threads: int = number(0, "threads; 0 takes all cores", low=0, high=1024, shapes_result=False)
    memory: int = number(
        64, "MB that a thread of the event engine has for the signals of the steps that it takes"
        " through a layer at a time", low=1, shapes_result=False
    )  # fmt: skip
    block: int = number(250, "images that are kept at a time", low=1, shapes_result=False)
    progress: bool = flag(
        False, "shows images and time left, as run.progress does of every step", shapes_result=False
    )

    def __post_init__(self) -> None:
        check(self)
        if self.compare and self.exit_margin:
            raise SettingError(
                f"exit_margin must be 0 where compare is true, which compares rates at every step,"
                f" got {self.exit_margin:g}"
            )
        leaving = [row for row in ENGINES.values() if row.exits]
        if self.exit_margin and not any(self.device in row.devices for row in leaving):
            raise SettingError(
                f"exit_margin must be 0 on device {self.device}, whose engines take all images"
                f" through all steps, got {self.exit_margin:g}"
            )
        if self.engine == "auto":
            return
        row = ENGINES[self.engine]
        if self.compare and not row.compares:
            able = " or ".join(["auto", *(e.name for e in ENGINES.values() if e.compares)])
            raise SettingError(f"engine must be {able} where compare is true, got {self.engine!r}")
        if self.exit_margin and not row.exits:
            able = " or ".join(["auto", *(each.name for each in leaving)])
            raise SettingError(
                f"engine must be {able} where exit_margin is not 0, got {self.engine!r}"
            )
        if self.kind_of_device not in row.devices:
            able = " or ".join(row.devices)
            raise SettingError(
                f"device must be {able} for the {self.engine} engine, got {self.device!r}"
            )

    @property
    def kind_of_device(self) -> str:
        """The device without its number."""
        return self.device.partition(":")[0]


def check_device(settings: SimulationSettings) -> None:
    """Holds the device to the machine.

    Raises:
        SettingError: there is no such device.
    """
    kind, _, place = settings.device.partition(":")
    if kind == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SettingError(
                f"device must be cpu here, got {settings.device!r}: torch finds no GPU"
            )
        if int(place or 0) >= torch.cuda.device_count():
            raise SettingError(
                f"device must be below cuda:{torch.cuda.device_count()} here, got"
                f" {settings.device!r}: torch finds no more GPUs"
            )


def available_cores() -> int:
    """Cores that this process may use; a cluster's scheduler gives it fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
