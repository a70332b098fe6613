"""What a choice is worth: final errors with intervals, and the error against time.

Every study whose kind has no figure of its own is drawn like this, so a new study needs no code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING

from ann2snn.numerics.intervals import wilson_interval
from ann2snn.report.chart import (
    BEYOND,
    DASHED,
    DISTINCT,
    INK,
    NO_ERROR,
    POISSON_INTERVALS,
    WHITE,
    Cell,
    Chart,
    error_axis,
    grid,
    inside_axis,
    new_figure,
    shown_error,
)
from ann2snn.report.reading import READOUTS, Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OWN_FIGURE = ("ablation", "percentiles", "architecture", "theory", "batch-norm")
COLUMNS = ("study", "point", "label", "step", "accuracy", "interval_low", "interval_high",
           "ann_accuracy", "run")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One choice: its accuracy (percent) by step, and its analog network's."""

    point: str
    label: str
    accuracy: list[float]
    ann_accuracy: float
    images: int
    run: str

    @property
    def last_error(self) -> float:
        return shown_error(self.accuracy[-1], self.images)

    @property
    def ann_error(self) -> float:
        return shown_error(self.ann_accuracy, self.images)

    @property
    def interval(self) -> tuple[float, float]:
        """The last error's interval, from low to high."""
        low, high = wilson_interval(self.accuracy[-1] / 100, self.images)
        return shown_error(high, self.images), shown_error(low, self.images)


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study whose kind has none of its own."""
    for study in results.studies:
        if study.kind in OWN_FIGURE:
            continue
        lines = list(_lines(study))
        yield Chart(
            study.name,
            study.name,
            _caption(study, lines),
            COLUMNS,
            [row for line in lines for row in _rows(study, line)],
            partial(_draw, study, lines),
        )


def _lines(study: Study) -> Iterator[Line]:
    for point in study.points:
        found, key = point.metrics, point.simulation.key
        curves = point.simulation.curves
        ends = (found["ann_accuracy"], found["images"], key)
        if study.kind != "readouts":
            yield Line(point.name, point.label, curves["accuracy"], *ends)
            continue
        for readout, words in READOUTS.items():
            label = words if len(study.points) == 1 else f"{point.label}, {words}"
            if f"accuracy_{readout}" in curves:
                yield Line(point.name, label, curves[f"accuracy_{readout}"], *ends)


def _rows(study: Study, line: Line) -> Iterator[list[Cell]]:
    for step, accuracy in enumerate(line.accuracy, 1):
        low, high = wilson_interval(accuracy / 100, line.images)
        yield [study.name, line.point, line.label, step, accuracy, low, high, line.ann_accuracy,
               line.run[:12]]  # fmt: skip


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
    if len(_inside(lines)) < len(lines):
        words += BEYOND
    if any(value >= 100 for line in lines for value in [*line.accuracy, line.ann_accuracy]):
        words += NO_ERROR
    if any(point.toggles["input"] == "poisson" for point in study.points):
        words += POISSON_INTERVALS
    return words


def _one_ann(lines: list[Line]) -> bool:
    return len({line.ann_accuracy for line in lines}) == 1


def _inside(lines: list[Line]) -> list[Line]:
    """The lines whose final error the left panel has room for, beside that of every ANN."""
    shown = inside_axis(
        [line.last_error for line in lines],
        [line.interval[1] for line in lines],
        sorted({line.ann_error for line in lines}),
    )
    return [line for line, fits in zip(lines, shown, strict=True) if fits]


def _draw(study: Study, lines: list[Line]) -> "Figure":
    height = 1.9 + 0.46 * max(len(lines), 4)
    figure = new_figure(f"{study.dataset}: {study.title}", study.extent, height)
    bottom, tall = 0.5 / height, 1 - 1.4 / height
    left = figure.add_axes((0.215, bottom, 0.27, tall))
    right = figure.add_axes((0.56, bottom, 0.42, tall))
    _last_errors(left, lines)
    _errors_by_step(right, lines)
    grid(left, "x")
    grid(right)
    return figure


def _last_errors(axes: "Axes", lines: list[Line]) -> None:
    """A row a choice: its last error with interval, or an arrow where that is beyond the axis."""
    inside = _inside(lines)
    ends = [line.ann_error for line in lines] + [end for line in inside for end in line.interval]
    error_axis(axes, "x", min(ends), max(ends))
    edge = axes.get_xlim()[1]
    for place, line in enumerate(lines):
        colour = DISTINCT[place % len(DISTINCT)]
        if line in inside:
            axes.plot(line.interval, [place, place], color=colour, linewidth=2)
        x, shape = (line.last_error, "o") if line in inside else (edge, ">")
        axes.plot(x, place, shape, color=colour, markersize=6, clip_on=False)
        axes.text(
            x, place - 0.2, f"{100 - line.accuracy[-1]:.2f}", color=colour, fontsize=9,
            ha="center" if line in inside else "right", va="bottom", bbox=WHITE,
        )  # fmt: skip
        if not _one_ann(lines):
            axes.plot([line.ann_error] * 2, [place - 0.16, place + 0.16], color=INK, linewidth=1.6,
                      zorder=3, label="its analog network")  # fmt: skip
    if _one_ann(lines):
        ann = lines[0]
        axes.axvline(ann.ann_error, color=INK, linewidth=1, linestyle=DASHED, zorder=0)
        axes.text(
            ann.ann_error, 1.01, f"ANN {100 - ann.ann_accuracy:.2f}", ha="center", va="bottom",
            transform=axes.get_xaxis_transform(), fontsize=8.5,
        )  # fmt: skip
    else:
        handles, names = axes.get_legend_handles_labels()
        axes.legend(
            handles[:1], names[:1], loc="lower right", bbox_to_anchor=(1.02, 0.98), fontsize=8.5
        )  # fmt: skip
    axes.set_ylim(len(lines) - 0.5, -0.7)
    axes.set_yticks(range(len(lines)), [fill(line.label, 24) for line in lines], fontsize=9)
    for tick, colour in zip(axes.get_yticklabels(), DISTINCT * len(lines), strict=False):
        tick.set_color(colour)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("error at the last step, %")


def _errors_by_step(axes: "Axes", lines: list[Line]) -> None:
    lowest = 100.0
    for place, line in enumerate(lines):
        colour = DISTINCT[place % len(DISTINCT)]
        errors = [shown_error(value, line.images) for value in line.accuracy]
        axes.plot(
            range(1, len(errors) + 1), errors, color=colour, linewidth=1.6,
            linestyle="-" if place < len(DISTINCT) else (0, (4, 1.5)),
        )  # fmt: skip
        if not _one_ann(lines):
            axes.axhline(line.ann_error, color=colour, linewidth=1, linestyle=DASHED, zorder=0)
        lowest = min(lowest, *errors, line.ann_error)
    if _one_ann(lines):
        axes.axhline(lines[0].ann_error, color=INK, linewidth=1, linestyle=DASHED, zorder=0)
    error_axis(axes, "y", lowest, 100)
    axes.set_xlim(1, max(len(line.accuracy) for line in lines))
    axes.set_xlabel("time, steps")
    axes.set_ylabel("error, %")
