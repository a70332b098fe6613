"""How far an accuracy can be trusted, and when it is reached."""

import math
from collections.abc import Sequence

NORMAL_95 = 1.959963984540054  # the 97.5th percentile of the standard normal distribution


def wilson_interval(percent: float, images: int) -> tuple[float, float]:
    """The 95 % Wilson interval (percent) of `percent` right among `images`.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), Wilson 1927.
    """
    share = percent / 100
    width = NORMAL_95**2 / images
    middle = share + width / 2
    half = NORMAL_95 * math.sqrt(share * (1 - share) / images + width / (4 * images))
    low, high = (middle - half) / (1 + width), (middle + half) / (1 + width)
    return 100 * max(low, 0.0), 100 * min(high, 1.0)


def paired_chance(agreement: float, images: int) -> float:
    """The largest difference (points) of two networks' accuracies on the same images that chance
    explains, at 95 %, if they answer `agreement` percent of the images alike.

    z sqrt(d) / n with d images answered differently: McNemar 1947. A bound, since an image that
    both answer wrongly, but differently, counts in d and moves no accuracy.
    """
    different = round(images * (1 - agreement / 100))
    return 100 * NORMAL_95 * math.sqrt(different) / images


def first_step_at(accuracy: Sequence[float], level: float) -> int | None:
    """The first step (from 1) with at least `level` percent right, or None."""
    return next((step for step, value in enumerate(accuracy, 1) if value >= level), None)


def lasting_step_at(accuracy: Sequence[float], level: float) -> int | None:
    """The first step (from 1) from which `accuracy` stays at or above `level`, or None."""
    below = [step for step, value in enumerate(accuracy, 1) if value < level]
    first = below[-1] + 1 if below else 1
    return first if first <= len(accuracy) else None
