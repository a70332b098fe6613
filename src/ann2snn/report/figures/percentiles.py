"""Figure 3: the error at every step, for several percentiles and the two baselines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ann2snn.numerics.intervals import wilson_interval
from ann2snn.report.chart import (
    DASHED,
    INK,
    NO_ERROR,
    POISSON_INTERVALS,
    QUIET,
    Cell,
    Chart,
    error_axis,
    grid,
    new_figure,
    shade,
    shown_error,
    stacked_labels,
)
from ann2snn.report.published import curve_of, is_papers_network, published_curves
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "step", "accuracy", "interval_low", "interval_high",
           "published_accuracy", "run")  # fmt: skip
# Of another method than the percentiles: grey, and told apart by their dashes.
BASELINES = {"default": (0, (1, 1)), "max_norm": (0, (7, 1.5, 1.5, 1.5))}


@dataclass(frozen=True)
class Curve:
    """A point's errors (percent) as drawn, and the authors' accuracies, if they have the same."""

    point: Point
    colour: str
    dashes: Any
    authors: list[float]

    def errors(self, accuracy: Sequence[float]) -> list[float]:
        return [shown_error(value, self.point.metrics["images"]) for value in accuracy]


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `percentiles`."""
    for study in results.of_kind("percentiles"):
        curves = _curves(study)
        yield Chart(
            study.name,
            study.name,
            _caption(curves),
            COLUMNS,
            [row for curve in curves for row in _rows(study, curve)],
            partial(_draw, study, curves),
        )


def _curves(study: Study) -> list[Curve]:
    """From bright (low percentile) to dark; the baselines grey."""
    names = {point.name: curve_of(point.toggles) for point in study.points}
    full = [point.name for point in study.points if names[point.name] not in BASELINES]
    return [
        Curve(
            point,
            shade(full.index(point.name), len(full)) if point.name in full else QUIET,
            BASELINES.get(names[point.name] or "", "-"),
            _published_curve(study, point),
        )
        for point in study.points
    ]


def _published_curve(study: Study, point: Point) -> list[float]:
    name = curve_of(point.toggles)
    comparable = is_papers_network(point.simulation.settings, study.dataset)
    return published_curves()[name] if comparable and name else []


def _caption(curves: list[Curve]) -> str:
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
    points = [curve.point for curve in curves]
    values = [value for point in points for value in point.simulation.curves["accuracy"]]
    if max([*values, *(point.metrics["ann_accuracy"] for point in points)]) >= 100:
        words += NO_ERROR
    if any(point.toggles["input"] == "poisson" for point in points):
        words += POISSON_INTERVALS
    return words


def _rows(study: Study, curve: Curve) -> Iterator[list[Cell]]:
    point = curve.point
    for step, accuracy in enumerate(point.simulation.curves["accuracy"], 1):
        low, high = wilson_interval(accuracy / 100, point.metrics["images"])
        theirs = curve.authors[step - 1] if step <= len(curve.authors) else None
        key = point.simulation.key[:12]
        yield [study.name, point.name, step, accuracy, low, high, theirs, key]


def _draw(study: Study, curves: list[Curve]) -> "Figure":
    evidence = study.extent
    if any(curve.authors for curve in curves):
        evidence += ". Thin: the authors' curves, 500 images of the original CIFAR-10"
    figure = new_figure(f"{study.dataset}: error against time", evidence, height=4.8)
    axes = figure.add_axes((0.08, 0.11, 0.625, 0.745))
    labels, lowest = [], 100.0
    for curve in curves:
        lowest = min(lowest, _draw_curve(axes, curve))
        accuracy = curve.point.simulation.curves["accuracy"]
        words = f"{curve.point.label}: {100 - accuracy[-1]:.2f}"
        labels.append((curve.errors(accuracy)[-1], words, curve.colour))
    ann = study.points[0].metrics["ann_accuracy"]
    ann_error = shown_error(ann, study.points[0].metrics["images"])
    axes.axhline(ann_error, color=INK, linewidth=1, linestyle=DASHED, zorder=0)
    labels.append((ann_error, f"ANN: {100 - ann:.2f}", INK))
    error_axis(axes, "y", min(lowest, ann_error), 100)
    axes.set_xlim(1, max(len(curve.point.simulation.curves["accuracy"]) for curve in curves))
    axes.set_xlabel("time, steps")
    axes.set_ylabel("error of the SNN, %")
    grid(axes)
    stacked_labels(axes, labels, reach=0.08)
    return figure


def _draw_curve(axes: "Axes", curve: Curve) -> float:
    """The lowest error that its last interval reaches."""
    accuracy = curve.point.simulation.curves["accuracy"]
    steps = range(1, len(accuracy) + 1)
    bounds = [wilson_interval(value / 100, curve.point.metrics["images"]) for value in accuracy]
    best = curve.errors([high for _, high in bounds])
    worst = curve.errors([low for low, _ in bounds])
    axes.fill_between(steps, best, worst, color=curve.colour, alpha=0.16, linewidth=0)
    if curve.authors:
        theirs = curve.errors(curve.authors)
        axes.plot(
            range(1, len(theirs) + 1), theirs, color=curve.colour, linewidth=0.7, alpha=0.8,
            linestyle=curve.dashes,
        )  # fmt: skip
    axes.plot(
        steps, curve.errors(accuracy), color=curve.colour, linewidth=1.7, linestyle=curve.dashes
    )
    return best[-1]
