"""The rule by which validation images choose the toggles of the best method."""

from ann2snn.report.results import Point, Study


def chosen_point(study: Study) -> Point:
    """The point of a selection whose answers are most often the ANN's; the first of equals."""
    return max(study.points, key=lambda point: float(point.metrics["agreement"]))


def same_toggles(one: Point, other: Point) -> bool:
    """Whether two points have the same conversion."""
    return one.toggles == other.toggles
