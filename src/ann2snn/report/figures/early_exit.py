"""Accuracy against the mean number of steps when an image may stop as soon as it is decided."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, Cell, Chart, grid, new_figure
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "mean_steps", "accuracy", "run")


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each network's best point whose record holds early exits."""
    for study, point in results.best():
        steps = point.simulation.curves.get("early_exit_steps")
        accuracy = point.simulation.curves.get("early_exit_accuracy")
        if not steps or not accuracy:
            continue
        rows: list[list[Cell]] = [
            [study.name, point.name, step, value, point.simulation.key[:12]]
            for step, value in sorted(zip(steps, accuracy, strict=True))
        ]
        yield Chart(
            f"{study.name}-early-exit",
            study.name,
            f"{point.label}. Each dot: a margin by which the first class must lead before an image"
            " stops; dashed: the analog network.",
            COLUMNS,
            rows,
            lambda study=study, point=point, rows=rows: _draw(study, point, rows),  # type: ignore[misc]
        )


def _draw(study: Study, point: Point, rows: list[list[Cell]]) -> "Figure":
    figure = new_figure(f"{study.dataset}: stopping early", study.extent, height=3.6)
    axes = figure.add_axes((0.085, 0.14, 0.81, 0.66))
    steps = [float(row[2] or 0) for row in rows]
    accuracy = [float(row[3] or 0) for row in rows]
    axes.plot(steps, accuracy, "o-", color=BLUE, markersize=5, linewidth=1.4)
    full = point.metrics["snn_accuracy"]
    axes.plot(point.metrics["steps"], full, "s", color=INK, markersize=6)
    axes.annotate(
        f"all {point.metrics['steps']} steps: {full:.2f}", (point.metrics["steps"], full),
        xytext=(-8, -14), textcoords="offset points", ha="right", fontsize=9,
    )  # fmt: skip
    ann = point.metrics["ann_accuracy"]
    axes.axhline(ann, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    axes.text(1.008, ann, f"ANN\n{ann:.2f}", transform=axes.get_yaxis_transform(), va="center",
              fontsize=9)  # fmt: skip
    axes.set_xlim(0, 1.03 * point.metrics["steps"])
    axes.set_xlabel("mean steps an image")
    axes.set_ylabel("accuracy, %")
    grid(axes)
    return figure
