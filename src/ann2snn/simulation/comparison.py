"""Firing rates against the activations that they stand for, at every step.

All sums are over whole multiples of 2^-20, the grid that activations are rounded to (their squares:
2^-30), and therefore exact: they depend on neither order nor blocks nor threads.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ann2snn.numerics.exact_sums import GRID, SQUARES

Reals = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
SAMPLES = 400
EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BY_STEP = ("count", "count_squared", "product", "distance")
TOTALS = ("units", "activation", "activation_squared", "active", "saturating", "staircase")


@dataclass(frozen=True)
class Comparison:
    """One layer's rates r and activations a over all images and units.

    By step: `error`, the mean |r - a|; `bias`, the mean r - a; `correlation`, Pearson's, 0 where
    one of them does not vary. `active` is the share of activations above 0; `saturating` the mean
    of their part above 1, which no rate can follow; `staircase` the mean a - rate(a), the error
    that the layer's reset keeps under a constant current a, or where it keeps none, for comparison,
    that reset to zero would. `bins` lists (from, to, number, mean
    |r - a| at the last step) by activation, `samples` (activation, rate at the last step).
    """

    error: Reals
    bias: Reals
    correlation: Reals
    active: float
    saturating: float
    staircase: float
    bins: list[tuple[float, float, int, float]]
    samples: list[tuple[float, float]]

    def details(self) -> dict[str, Any]:
        """All that is no curve, to six significant digits."""
        return {
            "active": _short(self.active),
            "saturating": _short(self.saturating),
            "staircase": _short(self.staircase),
            "bins": [[low, high, number, _short(mean)] for low, high, number, mean in self.bins],
            "samples": [[_short(a), _short(rate)] for a, rate in self.samples],
        }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def comparison(sums: dict[str, Counts], totals: Counts, bins: Counts, samples: Reals) -> Comparison:
    """From the sums of all blocks."""
    found = dict(zip(TOTALS, (int(value) for value in totals), strict=True))
    units = found["units"]
    shown = samples[:: max(1, len(samples) // SAMPLES)][:SAMPLES]
    mean = found["activation"] / GRID / units
    variance = found["activation_squared"] / SQUARES / units - mean**2
    t = np.arange(1, len(sums["count"]) + 1)
    rate = sums["count"] / t / units
    rate_variance = sums["count_squared"] / t**2 / units - rate**2
    covariance = sums["product"] / GRID / t / units - rate * mean
    spread = np.sqrt(np.maximum(rate_variance, 0) * max(variance, 0.0))
    correlation = np.where(spread > 0, covariance / np.where(spread > 0, spread, 1), 0)
    return Comparison(
        error=sums["distance"] / GRID / t / units,
        bias=rate - mean,
        correlation=correlation,
        active=found["active"] / units,
        saturating=found["saturating"] / GRID / units,
        staircase=found["staircase"] / GRID / units,
        bins=[
            (low, high, int(number), float(total) / GRID / int(t[-1]) / max(1, int(number)))
            for (low, high), (number, total) in zip(pairwise(EDGES), bins, strict=True)
        ],
        samples=[(float(a), float(count) / int(t[-1])) for a, count in shown],
    )
