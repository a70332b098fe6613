"""How far an accuracy can be trusted."""

import math

NORMAL_95 = 1.959963984540054  # the 97.5th percentile of the standard normal distribution


def wilson_interval(share: float, images: int) -> tuple[float, float]:
    """The 95 % Wilson score interval (percent) of a share p of right answers among n images.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), Wilson 1927.
    """
    z = NORMAL_95
    middle = share + z * z / (2 * images)
    spread = z * math.sqrt(share * (1 - share) / images + z * z / (4 * images * images))
    scale = 100 / (1 + z * z / images)
    return max(0.0, (middle - spread) * scale), min(100.0, (middle + spread) * scale)


def paired_chance(agreement: float, images: int) -> float:
    """The largest accuracy difference (points) expected by chance (95 %) of two networks on the
    same images, if they answer `agreement` percent of them alike.

    z sqrt(d) / n with d images answered differently: McNemar 1947. A bound, since an image that
    both answer wrongly, but differently, counts in d and moves no accuracy.
    """
    different = round(images * (1 - agreement / 100))
    return 100 * NORMAL_95 * math.sqrt(different) / images
