"""The kinds of spike that a neuron may send."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.tables import Table


@dataclass(frozen=True)
class Spike:
    """`levels` are the values that a neuron's signal can have in one step; `fired(potential)` is
    the signal, from the potential with the step's current (array or tensor, in thresholds)."""

    name: str
    meaning: str
    levels: tuple[int, ...]
    fired: Callable[[Any], Any]


SPIKES: Table[Spike] = Table("kind of spike", "ann2snn.mechanisms")

SPIKES.add(
    Spike(
        name="binary",
        meaning="0 or 1 spike a step, where the potential reaches the threshold",
        levels=(0, 1),
        fired=lambda potential: potential >= 1,  # Rueckauer et al. 2016, section 2
    )
)
