"""Accuracy against the mean number of steps when an image may stop as soon as it is decided."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, Cell, Chart, grid, new_figure
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "margin", "mean_steps", "accuracy", "run")


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each network's best point whose record holds early exits."""
    for study, point in results.best():
        curves = point.simulation.curves
        exits = [curves.get(f"early_exit_{name}", []) for name in ("margin", "steps", "accuracy")]
        if not all(exits):
            continue
        rows: list[list[Cell]] = [
            [study.name, point.name, margin, step, value, point.simulation.key[:12]]
            for margin, step, value in zip(*exits, strict=True)
        ]
        yield Chart(
            f"{study.name}-early-exit",
            study.name,
            f"{point.label}. Each dot: the margin (in thresholds) by which the first class must"
            " lead before an image stops; the answer is the class of the largest potential."
            " Square: no early stop. Dashed: the analog network.",
            COLUMNS,
            rows,
            lambda study=study, point=point, rows=rows: _draw(study, point, rows),  # type: ignore[misc]
        )


def _draw(study: Study, point: Point, rows: list[list[Cell]]) -> "Figure":
    figure = new_figure(f"{study.dataset}: stopping early", study.extent, height=3.6)
    axes = figure.add_axes((0.085, 0.14, 0.81, 0.66))
    margins, steps, accuracy = ([float(row[n] or 0) for row in rows] for n in (2, 3, 4))
    axes.plot(steps, accuracy, "o-", color=BLUE, markersize=5, linewidth=1.4)
    for margin, step, value in zip(margins, steps, accuracy, strict=True):
        axes.annotate(
            f"{margin:g}", (step, value), xytext=(5, -10), textcoords="offset points",
            color=BLUE, fontsize=8,
        )  # fmt: skip
    full = point.metrics["accuracy_potential"]
    axes.plot(point.metrics["steps"], full, "s", color=INK, markersize=6)
    axes.annotate(
        f"all {point.metrics['steps']} steps: {full:.2f}", (point.metrics["steps"], full),
        xytext=(-8, -14), textcoords="offset points", ha="right", fontsize=9,
    )  # fmt: skip
    ann = point.metrics["ann_accuracy"]
    axes.axhline(ann, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    axes.text(1.008, ann, f"ANN\n{ann:.2f}", transform=axes.get_yaxis_transform(), va="center",
              fontsize=9)  # fmt: skip
    axes.margins(y=0.12)
    axes.set_xlim(0, 1.03 * point.metrics["steps"])
    axes.set_xlabel("mean steps an image")
    axes.set_ylabel("accuracy, %")
    grid(axes)
    return figure
