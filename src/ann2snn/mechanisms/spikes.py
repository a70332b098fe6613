"""The kinds of spike that a neuron may send."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.tables import Table


@dataclass(frozen=True)
class Spike:
    """`levels` are the values that a neuron's signal can have in one step; `fired(potential, sent)`
    is the signal, from the potential with the step's current (array or tensor, in thresholds) and
    the spikes that were sent before, negative ones counted off. `resets` are those that it goes
    with; none named are all.
    """

    name: str
    meaning: str
    levels: tuple[int, ...]
    fired: Callable[[Any, Any], Any]
    resets: tuple[str, ...] = ()

    @property
    def signed(self) -> bool:
        return min(self.levels) < 0

    @property
    def most(self) -> int:
        """The most spikes that a neuron sends in one step: the scale of a layer is the activation
        that so many stand for."""
        return max(self.levels)


SPIKES: Table[Spike] = Table("kind of spike", "ann2snn.mechanisms")

SPIKES.add(
    Spike(
        name="binary",
        meaning="0 or 1 spike a step, where the potential reaches the threshold",
        levels=(0, 1),
        fired=lambda potential, _sent: potential >= 1,  # Rueckauer et al. 2016, section 2
    )
)


def _signed(potential: Any, sent: Any) -> Any:
    """A spike of -1 takes back one that came too early: where the potential is below 0 and more
    spikes were sent than taken back (the rule of DCGS, `neurons/relu_neuron.py`). With V(0) = 1/2
    the net count of a neuron whose input has come to rest is the rounded sum of all its current,
    or 0 where that is negative."""
    return (potential >= 1) * 1 - ((potential < 0) & (sent > 0)) * 1


SPIKES.add(
    Spike(
        name="signed",
        meaning="1 where the potential reaches the threshold; -1 where it is below 0 and a spike"
        " that was sent can be taken back",
        levels=(-1, 0, 1),
        fired=_signed,
        resets=("subtract",),
    )
)


def _bursting(potential: Any, sent: Any) -> Any:
    """As signed, and a second spike where the potential reaches twice the threshold (bursts as in
    AdaFire, Wang et al. 2025, there without spikes that take back)."""
    return _signed(potential, sent) + (potential >= 2) * 1


SPIKES.add(
    Spike(
        name="burst",
        meaning="as signed, and 2 spikes where the potential reaches twice the threshold, which is"
        " half the activation that it would be otherwise",
        levels=(-1, 0, 1, 2),
        fired=_bursting,
        resets=("subtract",),
    )
)
