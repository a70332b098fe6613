"""Figure 3: the error at every step, for several percentiles and the two baselines."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import INK, QUIET, shade
from ann2snn.plots.drawing import dashed_line, grid, new_figure, stacked_labels
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.errors_on_axes import Accuracy, accuracies, error_axis, notes
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.published import curve_of, papers_curve
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "step", "accuracy", "interval_low", "interval_high",
           "published_accuracy", "run")  # fmt: skip
# Of another method than the percentiles: grey, and told apart by their dashes.
BASELINES = {"default": (0, (1, 1)), "max_norm": (0, (7, 1.5, 1.5, 1.5))}


@dataclass(frozen=True)
class Curve:
    """A point's accuracy by step, and the authors', if they have the same."""

    point: Point
    colour: str
    dashes: Any
    accuracy: list[Accuracy]
    authors: list[Accuracy]


def chart(_: Results, study: Study) -> Chart:
    curves = list(_curves(study))
    rows = [row for curve in curves for row in _rows(study, curve)]
    draw = partial(_draw, study, curves)
    return Chart(study.name, study.name, _caption(study, curves), COLUMNS, rows, draw)


FIGURES.add(StudyFigure("percentiles", ("percentiles",), chart))


def _curves(study: Study) -> Iterator[Curve]:
    """From bright (low percentile) to dark; the baselines grey."""
    names = {point.name: curve_of(point.toggles) for point in study.points}
    full = [name for name, curve in names.items() if curve not in BASELINES]
    for point in study.points:
        known = point.name in full
        yield Curve(
            point=point,
            colour=shade(full.index(point.name), len(full)) if known else QUIET,
            dashes="-" if known else BASELINES[names[point.name] or ""],
            accuracy=accuracies(point.simulation.curves["accuracy"], point.metrics["images"]),
            authors=accuracies(
                papers_curve(point.simulation.settings, study.dataset), point.metrics["images"]
            ),
        )


def _caption(study: Study, curves: list[Curve]) -> str:
    words = (
        "Error of the SNN at every step, on a logarithmic scale. Bands: 95 % Wilson intervals."
        " Dashed: the analog network."
    )
    if any(curve.dashes != "-" for curve in curves):
        words += " Grey, dotted and dash-dotted: baselines without the full method."
    if any(curve.authors for curve in curves):
        words += (
            " Thin, in the same colours and dashes: the authors' own curves, 500 images of the"
            " original CIFAR-10."
        )
    shown = [each.value for curve in curves for each in curve.accuracy]
    anns = [point.metrics["ann_accuracy"] for point in study.points]
    return words + notes([*shown, *anns], study.points)


def _rows(study: Study, curve: Curve) -> Iterator[list[Cell]]:
    key = curve.point.simulation.key[:12]
    for step, (accuracy, theirs) in enumerate(zip_longest(curve.accuracy, curve.authors), 1):
        if accuracy:
            yield [study.name, curve.point.name, step, accuracy.value, *accuracy.interval,
                   theirs.value if theirs else None, key]  # fmt: skip


def _draw(study: Study, curves: list[Curve]) -> Figure:
    evidence = study.extent
    if any(curve.authors for curve in curves):
        evidence += ". Thin: the authors' curves, 500 images of the original CIFAR-10"
    figure = new_figure(f"{study.dataset}: error against time", evidence, height=4.8)
    axes = figure.subplots()
    lowest = min(_draw_curve(axes, curve) for curve in curves)
    found = study.points[0].metrics
    ann = Accuracy(found["ann_accuracy"], found["images"])
    dashed_line(axes, ann.error)
    error_axis(axes, "y", min(lowest, ann.error), 100)
    axes.set_xlim(1, max(len(curve.accuracy) for curve in curves))
    axes.set(xlabel="time, steps", ylabel="error of the SNN, %")
    grid(axes)
    ends = [(curve.accuracy[-1], curve.point.label, curve.colour) for curve in curves]
    labels = [
        (last.error, f"{label}: {100 - last.value:.2f}", colour)
        for last, label, colour in [*ends, (ann, "ANN", INK)]
    ]
    stacked_labels(axes, labels, reach=30)
    return figure


def _draw_curve(axes: Axes, curve: Curve) -> float:
    """The lowest error that is drawn at the end."""
    look = {"color": curve.colour, "linestyle": curve.dashes}
    best, worst = zip(*(each.error_interval for each in curve.accuracy), strict=True)
    steps = range(1, len(best) + 1)
    axes.fill_between(steps, best, worst, color=curve.colour, alpha=0.16, linewidth=0)
    theirs = [each.error for each in curve.authors]
    if theirs:
        axes.plot(range(1, len(theirs) + 1), theirs, linewidth=0.7, alpha=0.8, **look)
    axes.plot(steps, [each.error for each in curve.accuracy], linewidth=1.7, **look)
    return float(best[-1])
