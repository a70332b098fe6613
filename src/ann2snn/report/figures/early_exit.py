"""The error against the mean number of steps when an image may stop as soon as it is decided."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ann2snn.numerics.intervals import wilson_interval
from ann2snn.report.chart import (
    BLUE,
    DASHED,
    INK,
    NO_ERROR,
    Cell,
    Chart,
    error_axis,
    grid,
    new_figure,
    round_ticks,
    shown_error,
    stacked_labels,
)
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "margin", "mean_steps", "accuracy", "interval_low", "interval_high",
           "run")  # fmt: skip


@dataclass(frozen=True)
class Exit:
    """One margin (thresholds; None: no early stop), with the mean steps and accuracy it gives."""

    margin: float | None
    steps: float
    accuracy: float
    images: int

    @property
    def error(self) -> float:
        return shown_error(self.accuracy, self.images)

    @property
    def interval(self) -> tuple[float, float]:
        """The error's 95 % Wilson interval, from low to high."""
        low, high = wilson_interval(self.accuracy / 100, self.images)
        return shown_error(high, self.images), shown_error(low, self.images)


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each network's best point whose record holds early exits."""
    for study, point in results.best():
        exits = _exits(point)
        if not exits:
            continue
        yield Chart(
            f"{study.name}-early-exit",
            study.name,
            _caption(point, exits),
            COLUMNS,
            [_row(study, point, found) for found in exits],
            partial(_draw, study, point, exits),
        )


def _exits(point: Point) -> list[Exit]:
    """Those of the record, and last the whole run; none where the record has none."""
    curves, found = point.simulation.curves, point.metrics
    columns = [curves.get(f"early_exit_{name}", []) for name in ("margin", "steps", "accuracy")]
    if not all(columns):
        return []
    exits = [
        Exit(margin, steps, accuracy, found["images"])
        for margin, steps, accuracy in zip(*columns, strict=True)
    ]
    return [*exits, Exit(None, found["steps"], found["accuracy_potential"], found["images"])]


def _caption(point: Point, exits: list[Exit]) -> str:
    words = (
        f"{point.label}. Each dot: the margin (in thresholds) by which the first class must lead"
        " before an image stops; square: no early stop. The answer is the class of the largest"
        " potential. Whiskers: 95 % Wilson intervals. Dashed: the analog network. Both axes are"
        " logarithmic."
    )
    right = [found.accuracy for found in exits]
    return words + (NO_ERROR if max(*right, point.metrics["ann_accuracy"]) >= 100 else "")


def _row(study: Study, point: Point, found: Exit) -> list[Cell]:
    low, high = wilson_interval(found.accuracy / 100, found.images)
    return [study.name, point.name, found.margin, found.steps, found.accuracy, low, high,
            point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, point: Point, exits: list[Exit]) -> "Figure":
    evidence = f"{study.extent}; read-out: the largest potential"
    figure = new_figure(f"{study.dataset}: stopping early", evidence, height=3.8)
    axes = figure.add_axes((0.085, 0.135, 0.735, 0.675))
    *early, whole = exits
    axes.plot(
        [found.steps for found in early], [found.error for found in early], color=BLUE, linewidth=1
    )
    for found in exits:
        _draw_exit(axes, found)
    ann = point.metrics["ann_accuracy"]
    ann_error = shown_error(ann, whole.images)
    axes.axhline(ann_error, color=INK, linewidth=1, linestyle=DASHED, zorder=0)
    ends = [ann_error, *(end for found in exits for end in found.interval)]
    error_axis(axes, "y", min(ends), max(ends))
    axes.set_xscale("log")
    fewest, most = min(found.steps for found in exits), max(found.steps for found in exits)
    axes.set_xlim(fewest / 1.15, most * 1.15)
    ticks = round_ticks(fewest / 1.15, most * 1.15, 0.3)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("mean steps an image (beside the dots: the margin, in thresholds)")
    axes.set_ylabel("error, %")
    grid(axes)
    labels = [
        (ann_error, f"ANN: {100 - ann:.2f}", INK),
        (whole.error, f"all {whole.steps:g} steps: {100 - whole.accuracy:.2f}", INK),
    ]
    stacked_labels(axes, labels)
    return figure


def _draw_exit(axes: "Axes", found: Exit) -> None:
    colour, shape = (INK, "s") if found.margin is None else (BLUE, "o")
    axes.plot([found.steps] * 2, found.interval, color=colour, linewidth=1.4, alpha=0.5)
    axes.plot(found.steps, found.error, shape, color=colour, markersize=5)
    if found.margin is not None:
        axes.annotate(
            f"{found.margin:g}", (found.steps, found.error), xytext=(5, 4),
            textcoords="offset points", color=colour, fontsize=8.5,
        )  # fmt: skip
