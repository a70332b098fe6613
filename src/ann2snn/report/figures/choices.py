"""What a choice is worth: final accuracies with intervals, and accuracy against time.

Every study whose kind has no figure of its own is drawn like this, so a new study needs no code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from ann2snn.report.chart import DISTINCT, INK, Cell, Chart, grid, new_figure
from ann2snn.report.intervals import wilson_interval
from ann2snn.report.reading import Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN_FIGURE = ("ablation", "percentiles", "architecture", "theory", "batch-norm")
READOUTS = {
    "softmax": "softmax at clock ticks",
    "potential": "largest potential",
    "count": "most spikes",
}
COLUMNS = ("study", "point", "label", "step", "accuracy", "interval_low", "interval_high",
           "run")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One choice: its accuracy (percent) by step."""

    point: str
    label: str
    accuracy: list[float]
    images: int
    run: str


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study whose kind has none of its own."""
    for study in results.studies:
        if study.kind in OWN_FIGURE:
            continue
        lines = list(_lines(study))
        yield Chart(
            study.name,
            study.name,
            "Left: accuracy at the last step with 95 % Wilson intervals. Right: at every step."
            " Dashed: the analog network.",
            COLUMNS,
            [row for line in lines for row in _rows(study, line)],
            lambda study=study, lines=lines: _draw(study, lines),  # type: ignore[misc]
        )


def _lines(study: Study) -> Iterator[Line]:
    for point in study.points:
        images, key = point.metrics["images"], point.simulation.key
        curves = point.simulation.curves
        if study.kind != "readouts":
            yield Line(point.name, point.label, curves["accuracy"], images, key)
            continue
        for readout, words in READOUTS.items():
            label = words if len(study.points) == 1 else f"{point.label}, {words}"
            if f"accuracy_{readout}" in curves:
                yield Line(point.name, label, curves[f"accuracy_{readout}"], images, key)


def _rows(study: Study, line: Line) -> Iterator[list[Cell]]:
    for step, accuracy in enumerate(line.accuracy, 1):
        low, high = wilson_interval(accuracy, line.images)
        yield [study.name, line.point, line.label, step, accuracy, low, high, line.run[:12]]


def _draw(study: Study, lines: list[Line]) -> "Figure":
    height = 1.9 + 0.42 * max(len(lines), 4)
    figure = new_figure(f"{study.dataset}: {study.title}", study.extent, height)
    bottom, tall = 0.5 / height, 1 - 1.3 / height
    left = figure.add_axes((0.215, bottom, 0.245, tall))
    right = figure.add_axes((0.545, bottom, 0.435, tall))
    anns = sorted({point.metrics["ann_accuracy"] for point in study.points})
    for place, line in enumerate(lines):
        colour = DISTINCT[place % len(DISTINCT)]
        dashes = "-" if place < len(DISTINCT) else (0, (4, 1.5))
        last = line.accuracy[-1]
        low, high = wilson_interval(last, line.images)
        left.plot([low, high], [place, place], color=colour, linewidth=2)
        left.plot(last, place, "o", color=colour, markersize=6)
        left.text(
            last, place - 0.2, f"{last:.2f}", ha="center", va="bottom", color=colour, fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
        right.plot(
            range(1, len(line.accuracy) + 1), line.accuracy, color=colour, linewidth=1.6,
            linestyle=dashes,
        )  # fmt: skip
    if len(anns) == 1:
        left.axvline(anns[0], color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        right.axhline(anns[0], color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        left.text(
            anns[0], 1.01, f"ANN {anns[0]:.2f}", transform=left.get_xaxis_transform(), ha="center",
            va="bottom", fontsize=8.5,
        )  # fmt: skip
    left.set_ylim(len(lines) - 0.5, -0.7)
    left.set_yticks(range(len(lines)), [fill(line.label, 24) for line in lines], fontsize=9)
    for tick, colour in zip(left.get_yticklabels(), DISTINCT * len(lines), strict=False):
        tick.set_color(colour)
    left.tick_params(axis="y", length=0)
    left.margins(x=0.25)
    left.set_xlabel("accuracy at the last step, %")
    right.set_xlim(1, max(len(line.accuracy) for line in lines))
    right.set_ylim(0, 102)
    right.set_xlabel("time, steps")
    right.set_ylabel("accuracy, %")
    grid(left, "x")
    grid(right)
    return figure
