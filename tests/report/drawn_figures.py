"""Charts as drawn figures, and results changed at one place, for tests of figures only."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text

from ann2snn.numerics.intervals import wilson_interval
from ann2snn.plots.drawing import drawing_style
from ann2snn.report.chart import Chart
from ann2snn.report.figures import all_charts
from ann2snn.report.results import Point, Results
from tests.report.example_artifacts import IMAGES

Change = Callable[[int, Point], dict[str, Any]]


def chart_of(results: Results, name: str) -> Chart:
    (chart,) = [chart for chart in all_charts(results) if chart.name == name]
    return chart


def drawn(chart: Chart) -> Figure:
    with drawing_style():
        figure = chart.draw()
        figure.draw_without_rendering()
    return figure


def words_of(figure: Figure) -> Iterator[Text]:
    """Every text that is drawn; ticks beyond the ends of their axis are not."""
    outside = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.majorTicks, *axis.minorTicks]
            outside |= {
                id(text)
                for tick in ticks
                for text in (tick.label1, tick.label2)
                if not low <= tick.get_loc() <= high
            }
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in outside:
            yield text


def written(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in words_of(figure))


def changed(results: Results, name: str, change: Change) -> Results:
    """Results of one study alone, `change(place, point)` put into each simulation's record."""
    (study,) = [study for study in results.studies if study.name == name]
    points = tuple(
        dataclasses.replace(
            point, simulation=dataclasses.replace(point.simulation, **change(place, point))
        )
        for place, point in enumerate(study.points)
    )
    alone = dataclasses.replace(study, points=points)
    return Results((alone,), results.statistics, results.manifests, {})


def ending_at(*accuracies: float, ann: float | None = None) -> Change:
    """The points' last accuracies; those without one keep theirs."""

    def change(place: int, point: Point) -> dict[str, Any]:
        metrics, curve = dict(point.metrics), point.simulation.curves["accuracy"]
        if place < len(accuracies):
            low, high = wilson_interval(accuracies[place] / 100, IMAGES)
            metrics |= {"snn_accuracy": accuracies[place]}
            metrics |= {"interval_low": low, "interval_high": high}
            curve = [min(value, accuracies[place]) for value in curve[:-1]] + [accuracies[place]]
        if ann is not None:
            metrics["ann_accuracy"] = ann
        return {"metrics": metrics, "curves": {**point.simulation.curves, "accuracy": curve}}

    return change
