"""How far the scale of each layer falls from the maximum to a percentile, and its spikes rise."""

from collections.abc import Sequence
from itertools import pairwise

from ann2snn.report.results import MAXIMUM, Point, outliers, scale_percentile

PERCENTILE = 99.9  # the one whose outliers a conversion notes


def scale_factors(slow: Point, fast: Point) -> dict[str, tuple[float, float]]:
    """By layer: the largest activation over the 99.9th percentile, the spikes with the latter as
    the scale over those with the former; without layers that are silent with the maximum."""
    return {
        layer: (largest / percentile, _spikes(fast, layer) / _spikes(slow, layer))
        for layer, (largest, percentile) in outliers(slow).items()
        if _spikes(slow, layer)
    }


def pair_of_scales(points: Sequence[Point]) -> tuple[Point, Point] | None:
    """The neighbours of which one has the maximum and the other the 99.9th percentile as its scale,
    all else alike."""
    for slow, fast in pairwise(points):
        scales = [scale_percentile(point.toggles) for point in (slow, fast)]
        if scales == [MAXIMUM, PERCENTILE] and _but_scale(slow) == _but_scale(fast):
            return slow, fast
    return None


def _but_scale(point: Point) -> dict[str, object]:
    scale = ("normalization", "percentile")
    return {name: value for name, value in point.toggles.items() if name not in scale}


def _spikes(point: Point, layer: str) -> float:
    return sum(point.simulation.curves[f"spikes/{layer}"])
