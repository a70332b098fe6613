"""How the pixels of an image reach the first layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.tables import Table


@dataclass(frozen=True)
class ImageInput:
    """`spikes(seed, image, step, unit, pixel, levels)` says where a pixel / levels, which must lie
    in [0, 1], spikes: whole numbers, or arrays or tensors of them that broadcast. Without it the
    pixel is a current, the same in every step."""

    name: str
    meaning: str
    spikes: Callable[[int, Any, Any, Any, Any, int], Any] | None = None

    @property
    def static(self) -> bool:
        return self.spikes is None


INPUTS: Table[ImageInput] = Table("input", "ann2snn.mechanisms")


def _at_random(seed: int, image: Any, step: Any, unit: Any, pixel: Any, levels: int) -> Any:
    """u * levels < pixel * 2^32 with u uniform among the words of 32 bits."""
    from ann2snn.numerics import random_words

    word = random_words.uniform(seed, random_words.POISSON, image, step, unit)
    return word * levels < pixel << 32


INPUTS.add(ImageInput("analog", "pixels are constant currents"))
INPUTS.add(ImageInput("poisson", "a pixel spikes at random, its value the probability", _at_random))
