"""Figure 2: what each mechanism adds, as bars, with the analog network as a dashed line."""

from collections.abc import Sequence
from functools import partial
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, FAINT, INK, QUIET
from ann2snn.plots.drawing import (
    dashed_line,
    grid,
    legend_under_heading,
    new_figure,
    stacked_labels,
)
from ann2snn.records import Json
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.errors_on_axes import BEYOND, Accuracy, draw_errors, inside_axis, notes
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.published import Published, papers_bar, published
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "label", "dataset", "images", "steps", "snn_accuracy",
           "interval_low", "interval_high", "ann_accuracy", "published_accuracy",
           "published_ann_accuracy", "run")  # fmt: skip
ALIKE = 1.0  # points: bars from 0 to 100 that differ by less look equal
MANY_ALIKE = 3


def chart(_: Results, study: Study) -> Chart:
    beside = [papers_bar(point.simulation.settings, study.dataset) for point in study.points]
    rows = [_row(study, point, bar) for point, bar in zip(study.points, beside, strict=True)]
    draw = partial(_draw, study, beside)
    return Chart(study.name, study.name, _caption(study, beside), COLUMNS, rows, draw)


FIGURES.add(StudyFigure("ablation", ("ablation",), chart))


def _caption(study: Study, beside: Sequence[Published | None]) -> str:
    words = "Dashed: the analog network. Whiskers: 95 % Wilson intervals."
    if any(beside):
        words += " Grey: the paper's bars and its analog network, on the original CIFAR-10."
    shown = []
    if look_alike(study):
        words += " Below: the error, on a logarithmic axis, where the bars look equal."
        last, ann = _accuracies(study)
        words += "" if all(inside_axis(last, [ann])) else BEYOND
        shown = [each.value for each in (*last, ann)]
    return words + notes(shown, study.points)


def look_alike(study: Study) -> bool:
    """Whether several bars differ by less than bars from 0 to 100 show."""
    values = sorted(point.metrics["snn_accuracy"] for point in study.points)
    return any(
        high - low < ALIKE for low, high in zip(values, values[MANY_ALIKE - 1 :], strict=False)
    )


def _accuracies(study: Study) -> tuple[list[Accuracy], Accuracy]:
    """Those of all points, and that of the analog network."""
    images = study.points[0].metrics["images"]
    last = [Accuracy(point.metrics["snn_accuracy"], images) for point in study.points]
    return last, Accuracy(study.points[0].metrics["ann_accuracy"], images)


def _row(study: Study, point: Point, bar: Published | None) -> list[Cell]:
    found = point.metrics
    return [
        study.name, point.name, point.label, study.dataset, found["images"], found["steps"],
        found["snn_accuracy"], found["interval_low"], found["interval_high"],
        found["ann_accuracy"], bar.value if bar else None,
        published("ablation")["ann"].value if bar else None, point.simulation.key,
    ]  # fmt: skip


def _draw(study: Study, beside: Sequence[Published | None]) -> Figure:
    tall = [2.8, 1.5] if look_alike(study) else [2.8]
    title = f"{study.dataset}: what each mechanism adds"
    figure = new_figure(title, study.extent, height=1.4 + sum(tall))
    panels = figure.subplots(len(tall), 1, sharex=True, squeeze=False, height_ratios=tall)[:, 0]
    ann = study.points[0].metrics["ann_accuracy"]
    _bars(panels[0], study, beside)
    words = [fill(point.label, 19) for point in study.points]
    panels[-1].set_xticks(range(len(words)), words, fontsize=8.5)
    for panel in panels:
        panel.tick_params(axis="x", length=0)
        panel.set_xlim(-0.55, len(words) - 0.45)
        grid(panel)
    if any(beside):
        legend_under_heading(figure)
    labels = [(ann, f"ANN {ann:.2f}", INK)]
    if any(beside):
        theirs = published("ablation")["ann"].value
        labels.append((theirs, f"paper's ANN {theirs:.2f}", QUIET))
    for panel in panels[1:]:
        last, network = _accuracies(study)
        draw_errors(panel, "y", last, [network], [BLUE] * len(last))
        dashed_line(panel, network.error)
        panel.set_ylabel("error, %")
        stacked_labels(panel, [(network.error, f"ANN {100 - ann:.2f}", INK)])
    stacked_labels(panels[0], labels)
    return figure


def _bars(axes: Axes, study: Study, beside: Sequence[Published | None]) -> None:
    width = 0.4 if any(beside) else 0.56
    shift = width / 2 if any(beside) else 0.0
    for place, (point, bar) in enumerate(zip(study.points, beside, strict=True)):
        found = point.metrics
        height = found["snn_accuracy"]
        axes.bar(place - shift, height, width, color=BLUE, label=f"this project, {study.dataset}")
        axes.errorbar(
            place - shift, height, capsize=2.5, color=INK, linewidth=1,
            yerr=[[height - found["interval_low"]], [found["interval_high"] - height]],
        )  # fmt: skip
        _write_value(axes, place - shift, height, found, "white", BLUE)
        if bar:
            axes.bar(
                place + shift, bar.value, width, color=FAINT, label="the paper, original CIFAR-10"
            )
            _write_value(axes, place + shift, bar.value, {}, INK, QUIET)
    dashed_line(axes, study.points[0].metrics["ann_accuracy"])
    if any(beside):
        dashed_line(axes, published("ablation")["ann"].value, colour=QUIET)
    axes.set_ylim(0, 102)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("accuracy of the SNN, %")


def _write_value(
    axes: Axes, place: float, height: float, found: Json, inside: str, above: str
) -> None:
    """Writes a bar's value into its top, or over a short bar: never across the dashed line."""
    low, high = found.get("interval_low", height), found.get("interval_high", height)
    tall = low > 10
    axes.text(
        place, low - 1.5 if tall else high + 1.5, f"{height:.2f}", ha="center",
        va="top" if tall else "bottom", color=inside if tall else above, weight="bold",
        fontsize=9,
    )  # fmt: skip
