"""How a neuron's membrane potential goes on after a spike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.tables import Table


@dataclass(frozen=True)
class Reset:
    """`after(potential, fired)` is the membrane potential after a step, from the one that the
    threshold was tested with and the spikes (arrays or tensors of one shape, in thresholds).
    `rate(current)` is the firing rate that a constant current approaches (array, in thresholds per
    step). `label` names the mechanism in figures.
    """

    name: str
    meaning: str
    label: str
    after: Callable[[Any, Any], Any]
    rate: Callable[[Any], Any]

    @property
    def loses(self) -> bool:
        """Whether some current in [0, 1] is followed by another rate than its own, for ever."""
        import numpy as np

        currents = np.linspace(0, 1, 1001)
        return bool((self.rate(currents) != currents).any())


RESETS: Table[Reset] = Table("reset", "ann2snn.mechanisms")


def _clipped(current: Any) -> Any:
    """A rate lies between 0 and one spike a step."""
    return current.clip(0, 1)


def _staircase(current: Any) -> Any:
    """1 / ceil(1 / a): the steps until the threshold is reached are whole, and what is above it is
    lost (Rueckauer et al. 2016, section 2.1)."""
    import numpy as np

    inside = _clipped(current)
    return np.where(inside > 0, 1 / np.ceil(1 / np.where(inside > 0, inside, 1)), 0)


RESETS.add(
    Reset(
        name="subtract",
        meaning="the threshold is subtracted, the remainder kept",
        label="reset by subtraction",
        after=lambda potential, fired: potential - fired,
        rate=_clipped,
    )
)
RESETS.add(
    Reset(
        name="zero",
        meaning="the potential is set to 0, the remainder lost",
        label="reset to zero",
        after=lambda potential, fired: potential * (1 - fired),
        rate=_staircase,
    )
)
