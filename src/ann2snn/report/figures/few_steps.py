"""Few steps: what each mechanism adds after 4, 8, 16 and 32 of them, and what the answers cost."""

from functools import partial
from itertools import accumulate, cycle, islice

from matplotlib.figure import Figure

from ann2snn.plots.colours import DISTINCT, FAINT, INK, QUIET
from ann2snn.plots.drawing import dashed_line, grid, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.errors_on_axes import Accuracy
from ann2snn.report.few_steps import FEW, KIND, row_at, shown_steps
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.published import later_network
from ann2snn.report.results import Point, Results, Study

BARS = ("study", "point", "label", "dataset", "images", "steps", "snn_accuracy", "interval_low",
        "interval_high", "ann_accuracy", "run")  # fmt: skip
CURVES = ("study", "point", "label", "step", "accuracy", "synops_per_image", "ann_accuracy",
          "macs_per_image", "run")  # fmt: skip


def bars(_: Results, study: Study) -> Chart:
    """What each mechanism adds, as bars in the manner of figure 2, a panel per number of steps."""
    rows: list[list[Cell]] = []
    for point in study.points:
        for steps in shown_steps(point):
            row = row_at(study, point, steps)
            rows.append(
                [study.name, point.name, point.label, study.dataset, row["images"], steps,
                 row["snn_accuracy"], *row["interval"], row["ann_accuracy"], row["run"]]
            )  # fmt: skip
    caption = (
        "Accuracy after few steps. Dashed: the analog network. Whiskers: 95 % Wilson intervals. A"
        " conversion that is made for a number of steps has a bar there alone."
    )
    return Chart(study.name, study.name, caption, BARS, rows, partial(_draw_bars, study))


def operations(_: Results, study: Study) -> Chart:
    """Accuracy against steps and against synaptic operations."""
    rows: list[list[Cell]] = []
    for point in study.points:
        found = point.metrics
        for step, (accuracy, synops) in enumerate(_course(point), 1):
            rows.append(
                [study.name, point.name, point.label, step, accuracy, synops,
                 found["ann_accuracy"], found["macs_per_image"], point.simulation.key]
            )  # fmt: skip
    caption = (
        "Accuracy against time (left) and against synaptic operations per image (right). Dashed:"
        " the analog network's accuracy, dotted: its multiply-accumulates. Operations of the first"
        " layer, whose input is analog, are multiply-accumulates of an image, and not among them."
    )
    later = later_network(study.points[0].simulation.settings, study.dataset)
    if later:
        caption += (
            " Grey: the later paper of the authors, on the original images (best mean error, and"
            " the first count of operations within a point of it)."
        )
    name = f"{study.name}-operations"
    return Chart(name, study.name, caption, CURVES, rows, partial(_draw_courses, study, later))


FIGURES.add(StudyFigure("few-steps", (KIND,), bars))
FIGURES.add(StudyFigure("few-steps-operations", (KIND,), operations))


def _course(point: Point) -> list[tuple[float, float]]:
    """Accuracy and operations so far, by step."""
    curves = point.simulation.curves
    return list(zip(curves["accuracy"], accumulate(curves["synops"]), strict=True))


def _draw_bars(study: Study) -> Figure:
    figure = new_figure(f"{study.dataset}: {study.title}", study.extent, 1.2 + 1.5 * len(FEW))
    panels = figure.subplots(len(FEW), 1, sharex=True)
    ann = study.points[0].metrics["ann_accuracy"]
    for axes, steps in zip(panels, FEW, strict=True):
        for place, point in enumerate(study.points):
            if steps in shown_steps(point):
                row = row_at(study, point, steps)
                found = Accuracy(row["snn_accuracy"], row["images"])
                low, high = found.interval
                axes.bar(place, found.value, 0.62, color=DISTINCT[place % len(DISTINCT)])
                axes.errorbar(
                    place, found.value, capsize=2, color=INK, linewidth=0.9,
                    yerr=[[found.value - low], [high - found.value]],
                )  # fmt: skip
                axes.text(place, 4, f"{found.value:.2f}", ha="center", color="white", size=8.5,
                          weight="bold")  # fmt: skip
        dashed_line(axes, ann)
        axes.set_ylim(0, 102)
        axes.set_ylabel(f"%, {steps} steps")
        axes.tick_params(axis="x", length=0)
        grid(axes)
    labels = [point.label.replace(", ", ",\n") for point in study.points]
    panels[-1].set_xticks(range(len(labels)), labels, fontsize=7.5, rotation=30, ha="right")
    return figure


def _draw_courses(study: Study, later: dict[str, str] | None) -> Figure:
    figure = new_figure(f"{study.dataset}: accuracy, time and operations", study.extent, height=4.6)
    left, right = figure.subplots(1, 2, sharey=True)
    found = study.points[0].metrics
    lowest = 100.0
    for point, colour in zip(study.points, islice(cycle(DISTINCT), len(study.points)), strict=True):
        course = _course(point)
        accuracies, synops = [a for a, _ in course], [s for _, s in course]
        steps = range(1, len(course) + 1)
        style = "-" if len(course) == max(FEW) else (0, (1, 1))
        left.plot(steps, accuracies, color=colour, linewidth=1.5, linestyle=style,
                  label=point.label)  # fmt: skip
        right.plot(synops, accuracies, color=colour, linewidth=1.5, linestyle=style)
        left.plot(len(course), accuracies[-1], "o", color=colour, markersize=4)
        right.plot(synops[-1], accuracies[-1], "o", color=colour, markersize=4)
        lowest = min(lowest, max(accuracies))
    for axes in (left, right):
        dashed_line(axes, found["ann_accuracy"])
        axes.set_ylim(min(lowest - 5, found["ann_accuracy"] - 20), 100)
        grid(axes)
    right.axvline(found["macs_per_image"], color=INK, linewidth=1, linestyle=":")
    if later:
        found_there = 1e9 * float(later["snn_operations"]), 100 - float(later["snn_error"])
        right.plot(*found_there, "s", color=QUIET)
        right.axhline(100 - float(later["ann_error"]), color=FAINT, linewidth=1)
    right.set_xscale("log")
    left.set(xlabel="time, steps", ylabel="accuracy, %")
    right.set(xlabel="synaptic operations per image")
    left.legend(loc="lower right", fontsize=6.5)
    return figure
