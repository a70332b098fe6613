"""The trade-off behind the percentile: share of saturating activations, accuracy early and late."""

from collections.abc import Iterator
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, INK, ORANGE, QUIET, WHITE
from ann2snn.plots.drawing import dashed_line, grid, new_figure, stacked_labels
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.errors_on_axes import logarithmic
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.figures.activations import calibration_images
from ann2snn.report.published import is_full_method
from ann2snn.report.results import Point, Results, Study, saturating_shares, scale_percentile

COLUMNS = ("study", "point", "percentile", "largest_saturating_share", "early_step",
           "early_accuracy", "accuracy", "run")  # fmt: skip
EARLY = 6  # the sixth part of a run: step 50 of 300
NARROWEST = 2.0  # points on the axis, where all accuracies are alike


def chart(results: Results, study: Study) -> Chart | None:
    """One where the conversions of two points or more say what share saturates."""
    rows = [row for point in study.points for row in _rows(study, point)]
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: float(row[2] or 0))
    return Chart(
        f"{study.name}-saturation",
        study.name,
        "Left: the layer with the largest share of calibration activations, zeros included, above"
        " its scale, on a logarithmic axis (arrow: a share of 0). Right: accuracy early and at the"
        " end; dashed: the analog network.",
        COLUMNS,
        rows,
        partial(_draw, study, rows, calibration_images(results, study)),
    )


FIGURES.add(StudyFigure("saturation", ("percentiles",), chart))


def _rows(study: Study, point: Point) -> Iterator[list[Cell]]:
    percentile = scale_percentile(point.toggles)
    if not is_full_method(point.toggles) or percentile is None:
        return
    shares = saturating_shares(point).values()
    if not shares:
        return
    curve = point.simulation.curves["accuracy"]
    early = max(1, len(curve) // EARLY)
    yield [
        study.name, point.name, percentile, float(max(shares)), early, curve[early - 1], curve[-1],
        point.simulation.key[:12],
    ]  # fmt: skip


def _draw(study: Study, rows: list[list[Cell]], images: str) -> Figure:
    evidence = f"left: {images}; right: {study.extent}"
    figure = new_figure(f"{study.dataset}: saturation against speed", evidence, height=3.4)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.set_xticks(range(len(rows)), [f"{row[2]:g}" for row in rows])
        axes.set_xlabel("percentile of the scale")
        grid(axes)
    _shares(left, [100 * float(row[3] or 0) for row in rows])
    _accuracies(right, study, rows)
    return figure


def _shares(axes: Axes, shares: list[float]) -> None:
    """Dots over a logarithmic axis; a share of 0, which it has no place for, as an arrow."""
    seen = [share for share in shares if share > 0] or [1.0]
    low = min(seen) / 4
    logarithmic(axes, "y", low, max(seen) * 4)
    for place, share in enumerate(shares):
        height, shape = (share, "o") if share > 0 else (low, "v")
        axes.plot(place, height, shape, color=QUIET, markersize=6, clip_on=False)
        axes.annotate(
            f"{share:.3g}", (place, height), xytext=(0, 6), textcoords="offset points", ha="center",
            fontsize=9, bbox=WHITE,
        )  # fmt: skip
    axes.set_xlim(-0.5, len(shares) - 0.5)
    axes.set_ylabel("saturating activations, %")


def _accuracies(axes: Axes, study: Study, rows: list[list[Cell]]) -> None:
    steps = (rows[0][4], study.points[0].metrics["steps"])
    labels = []
    for column, colour, step in zip((5, 6), (ORANGE, BLUE), steps, strict=True):
        values = [float(row[column] or 0) for row in rows]
        axes.plot(range(len(rows)), values, "o-", color=colour, linewidth=1.5, markersize=5)
        labels.append((values[-1], f"step {step}: {values[-1]:.2f}", colour))
    ann = study.points[0].metrics["ann_accuracy"]
    dashed_line(axes, ann)
    low, high = axes.dataLim.intervaly
    room = max(0.06 * (high - low), (NARROWEST - (high - low)) / 2)
    axes.set_ylim(low - room, min(high + room, 100))
    axes.set_xlim(-0.4, len(rows) - 0.85)
    axes.set_ylabel("accuracy, %")
    stacked_labels(axes, [*labels, (ann, f"ANN: {ann:.2f}", INK)], reach=18)
