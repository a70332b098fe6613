"""How a spiking max-pool chooses the spikes that it passes on.

With x_i(t) the signal of input i of a window in step t, counted from 1, and e_i(t) its estimate,
which includes step t, a window passes on
- `growth`: max_i e_i(t) - max_i e_i(t - 1);
- `winner`: x_w(t) of the input w with the largest estimate, the first of equals in row-major order;
- `any`: max_i x_i(t), without estimates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.tables import Table

INVERSE_BITS = 27  # 1/t in units of 2^-27, rounded down: sums over 10^6 steps stay below 2^32
DECAY_SHIFT = 4
INCREMENT = 1 << 20


@dataclass(frozen=True)
class Pooling:
    """`passes` is growth, winner or any; `estimate(before, signal, t)` the estimates after step t,
    from those before it, 0 at first, and the signal: whole numbers, none negative, unless
    `currents`.

    `currents` says whether it takes any signal; others take spikes, and only those may choose a
    winner. `average` stands apart: the conversion puts average-pooling in the place of max-pooling,
    so that no node has it (`passes` is then empty).
    """

    name: str
    meaning: str
    passes: str
    estimate: Callable[[Any, Any, int], Any] | None = None
    currents: bool = False

    def __post_init__(self) -> None:
        assert self.passes in ("growth", "winner", "any", ""), f"{self.name}: {self.passes!r}"
        assert (self.estimate is None) == (self.passes in ("any", "")), f"{self.name}: estimate"
        assert not (self.currents and self.passes == "winner"), f"{self.name}: ties of currents"


POOLINGS: Table[Pooling] = Table("pooling", "ann2snn.mechanisms")


def _sum(before: Any, signal: Any, _t: int) -> Any:
    return before + signal


def _by_inverse_time(before: Any, signal: Any, t: int) -> Any:
    return before + signal * ((1 << INVERSE_BITS) // t)


def _decaying(before: Any, signal: Any, _t: int) -> Any:
    return before - (before >> DECAY_SHIFT) + signal * INCREMENT


POOLINGS.add(
    Pooling("rise", "a spike where the window's largest spike count rises: exact", "growth",
            _sum, currents=True)
)  # fmt: skip
POOLINGS.add(
    Pooling("inverse_time", "the input with the largest sum of spikes over their step: the default"
            " of the authors' code", "winner", _by_inverse_time)
)  # fmt: skip
POOLINGS.add(Pooling("running_mean", "the input with the largest mean rate", "winner", _sum))
POOLINGS.add(
    Pooling("exponential", "the input with the largest mean rate of about the last 16 steps: the"
            " paper's text", "winner", _decaying)
)  # fmt: skip
POOLINGS.add(Pooling("average", "average-pooling in the place of max-pooling", ""))
POOLINGS.add(Pooling("spikes", "any spike of the window, which inflates rates", "any"))
