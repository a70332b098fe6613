"""How the pixels of an image reach the first layer."""

from dataclasses import dataclass

from ann2snn.tables import Table


@dataclass(frozen=True)
class ImageInput:
    """`static` says that a pixel gives the same signal in every step: a current. Others give
    spikes, with the pixel as the rate, which must lie in [0, 1]."""

    name: str
    meaning: str
    static: bool


INPUTS: Table[ImageInput] = Table("input", "ann2snn.mechanisms")

INPUTS.add(ImageInput("analog", "pixels are constant currents", static=True))
INPUTS.add(ImageInput("poisson", "a pixel spikes at random, its value the probability", False))
