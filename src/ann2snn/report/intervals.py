"""How far an accuracy can be trusted."""

import math

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


def first_step_at(accuracy: list[float], level: float) -> int | None:
    """The first step (from 1) with at least `level` percent right, or None."""
    return next((step for step, value in enumerate(accuracy, 1) if value >= level), None)
