"""What a choice is worth: final errors with intervals, and the error against time.

Every study whose kind no other figure names is drawn like this, so a new study needs no code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import DISTINCT, INK
from ann2snn.plots.drawing import dashed_line, grid, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.errors_on_axes import (
    BEYOND,
    Accuracy,
    accuracies,
    draw_errors,
    error_axis,
    inside_axis,
    notes,
)
from ann2snn.report.figures import FIGURES, OTHERS, StudyFigure
from ann2snn.report.results import OUTPUT_LABELS, Results, Study

COLUMNS = ("study", "point", "label", "step", "accuracy", "interval_low", "interval_high",
           "ann_accuracy", "run")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One choice: its accuracy by step, and its analog network's."""

    point: str
    label: str
    accuracy: list[Accuracy]
    ann: Accuracy
    run: str


def chart(_: Results, study: Study) -> Chart:
    lines = list(_lines(study))
    rows = [row for line in lines for row in _rows(study, line)]
    draw = partial(_draw, study, lines)
    return Chart(study.name, study.name, _caption(study, lines), COLUMNS, rows, draw)


FIGURES.add(StudyFigure("choices", OTHERS, chart))


def _lines(study: Study) -> Iterator[Line]:
    for point in study.points:
        curves, images = point.simulation.curves, point.metrics["images"]
        found = {point.label: curves["accuracy"]}
        if study.kind == "outputs":
            found = {
                words if len(study.points) == 1 else f"{point.label}, {words}": curves[name]
                for output, words in OUTPUT_LABELS.items()
                if (name := f"accuracy_{output}") in curves
            }
        ann = Accuracy(point.metrics["ann_accuracy"], images)
        for label, curve in found.items():
            key = point.simulation.key[:12]
            yield Line(point.name, label, accuracies(curve, images), ann, key)


def _rows(study: Study, line: Line) -> Iterator[list[Cell]]:
    for step, accuracy in enumerate(line.accuracy, 1):
        yield [study.name, line.point, line.label, step, accuracy.value, *accuracy.interval,
               line.ann.value, line.run]  # fmt: skip


def _caption(study: Study, lines: list[Line]) -> str:
    words = (
        "Error of the SNN on logarithmic axes. Left: at the last step, with 95 % Wilson intervals."
        " Right: at every step."
    )
    if _one_ann(lines):
        words += " Dashed: the analog network."
    else:
        words += (
            " Dark ticks (left) and dashed lines in the row's colour (right): the analog network of"
            " each row."
        )
    if not all(inside_axis([line.accuracy[-1] for line in lines], [line.ann for line in lines])):
        words += BEYOND
    shown = [each.value for line in lines for each in (*line.accuracy, line.ann)]
    return words + notes(shown, study.points)


def _one_ann(lines: list[Line]) -> bool:
    return len({line.ann for line in lines}) == 1


def _draw(study: Study, lines: list[Line]) -> Figure:
    height = 1.9 + 0.46 * max(len(lines), 4)
    figure = new_figure(f"{study.dataset}: {study.title}", study.extent, height)
    left, right = figure.subplots(1, 2, width_ratios=(0.4, 0.6))
    colours = list(islice(cycle(DISTINCT), len(lines)))
    _last_errors(left, lines, colours)
    _errors_by_step(right, lines, colours)
    grid(left, "x")
    grid(right)
    return figure


def _last_errors(axes: Axes, lines: list[Line], colours: list[str]) -> None:
    """A row per choice: its last error with interval, or an arrow where that is beyond the axis."""
    last, anns = [line.accuracy[-1] for line in lines], [line.ann for line in lines]
    draw_errors(axes, "x", last, anns, colours)
    if _one_ann(lines):
        dashed_line(axes, anns[0].error, "x", words=f"ANN {100 - anns[0].value:.2f}")
    else:
        for place, ann in enumerate(anns):
            axes.plot([ann.error] * 2, [place - 0.16, place + 0.16], color=INK, linewidth=1.6,
                      zorder=3, label="its analog network")  # fmt: skip
        handles, names = axes.get_legend_handles_labels()
        axes.legend(handles[:1], names[:1], loc="lower right", bbox_to_anchor=(1.02, 0.98))
    axes.set_ylim(len(lines) - 0.5, -0.7)
    axes.set_yticks(range(len(lines)), [fill(line.label, 24) for line in lines], fontsize=9)
    for tick, colour in zip(axes.get_yticklabels(), colours, strict=True):
        tick.set_color(colour)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("error at the last step, %")


def _errors_by_step(axes: Axes, lines: list[Line], colours: list[str]) -> None:
    for place, (line, colour) in enumerate(zip(lines, colours, strict=True)):
        errors = [each.error for each in line.accuracy]
        dashes = "-" if place < len(DISTINCT) else (0, (4, 1.5))
        steps = range(1, len(errors) + 1)
        axes.plot(steps, errors, color=colour, linewidth=1.6, linestyle=dashes)
        if not _one_ann(lines):
            dashed_line(axes, line.ann.error, colour=colour)
    if _one_ann(lines):
        dashed_line(axes, lines[0].ann.error)
    lowest = min(each.error for line in lines for each in (*line.accuracy, line.ann))
    error_axis(axes, "y", lowest, 100)
    axes.set_xlim(1, max(len(line.accuracy) for line in lines))
    axes.set(xlabel="time, steps", ylabel="error, %")
