"""The error against the mean number of steps when an image may stop as soon as it is decided."""

from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, INK
from ann2snn.plots.drawing import dashed_line, grid, new_figure, stacked_labels
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.errors_on_axes import Accuracy, error_axis, logarithmic, notes
from ann2snn.report.figures import EVERY, FIGURES, StudyFigure
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "margin", "mean_steps", "accuracy", "interval_low", "interval_high",
           "run")  # fmt: skip
ROOM = 1.15  # on both sides of the steps


@dataclass(frozen=True)
class Exit:
    """One margin (thresholds; None: no early stop), with the mean steps and accuracy it gives."""

    margin: float | None
    steps: float
    accuracy: Accuracy


def chart(results: Results, study: Study) -> Chart | None:
    """One for each network: of its best point, if its record holds early exits."""
    point = next((point for best, point in results.best() if best.name == study.name), None)
    exits = _exits(point) if point else []
    if not point or not exits:
        return None
    return Chart(
        f"{study.name}-early-exit",
        study.name,
        _caption(point, exits),
        COLUMNS,
        [_row(study, point, found) for found in exits],
        partial(_draw, study, point, exits),
    )


FIGURES.add(StudyFigure("early-exit", EVERY, chart))


def _exits(point: Point) -> list[Exit]:
    """Those of the record, and last the whole run; none where the record has none."""
    curves, found = point.simulation.curves, point.metrics
    columns = [curves.get(f"early_exit_{name}", []) for name in ("margin", "steps", "accuracy")]
    if not all(columns):
        return []
    rows = [*zip(*columns, strict=True), (None, found["steps"], found["accuracy_potential"])]
    return [Exit(margin, steps, Accuracy(value, found["images"])) for margin, steps, value in rows]


def _caption(point: Point, exits: list[Exit]) -> str:
    words = (
        f"{point.label}. Each dot: the margin (in thresholds) by which the first class must lead"
        " before an image stops; square: no early stop. The answer is the class of the largest"
        " potential. Whiskers: 95 % Wilson intervals. Dashed: the analog network. Both axes are"
        " logarithmic."
    )
    return words + notes(
        [point.metrics["ann_accuracy"], *(found.accuracy.value for found in exits)]
    )


def _row(study: Study, point: Point, found: Exit) -> list[Cell]:
    return [study.name, point.name, found.margin, found.steps, found.accuracy.value,
            *found.accuracy.interval, point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, point: Point, exits: list[Exit]) -> Figure:
    evidence = f"{study.extent}; output: the largest potential"
    figure = new_figure(f"{study.dataset}: stopping early", evidence, height=3.8)
    axes = figure.subplots()
    *early, whole = exits
    steps = [found.steps for found in exits]
    axes.plot(steps[:-1], [found.accuracy.error for found in early], color=BLUE, linewidth=1)
    for found in exits:
        _draw_exit(axes, found)
    ann = Accuracy(point.metrics["ann_accuracy"], point.metrics["images"])
    dashed_line(axes, ann.error)
    ends = [ann.error, *(end for found in exits for end in found.accuracy.error_interval)]
    error_axis(axes, "y", min(ends), max(ends))
    logarithmic(axes, "x", min(steps) / ROOM, max(steps) * ROOM)
    axes.set_xlabel("mean steps per image (beside the dots: the margin, in thresholds)")
    axes.set_ylabel("error, %")
    grid(axes)
    all_steps = f"all {whole.steps:g} steps: {100 - whole.accuracy.value:.2f}"
    labels = ((ann, f"ANN: {100 - ann.value:.2f}"), (whole.accuracy, all_steps))
    stacked_labels(axes, [(accuracy.error, words, INK) for accuracy, words in labels])
    return figure


def _draw_exit(axes: Axes, found: Exit) -> None:
    colour, shape = (INK, "s") if found.margin is None else (BLUE, "o")
    steps, accuracy = found.steps, found.accuracy
    axes.plot([steps] * 2, accuracy.error_interval, color=colour, linewidth=1.4, alpha=0.5)
    axes.plot(steps, accuracy.error, shape, color=colour, markersize=5)
    if found.margin is not None:
        axes.annotate(
            f"{found.margin:g}", (steps, accuracy.error), xytext=(5, 4),
            textcoords="offset points", color=colour, fontsize=8.5,
        )  # fmt: skip
