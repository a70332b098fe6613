"""The trade-off behind the percentile: share of saturating activations, accuracy early and late."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, ORANGE, QUIET, Cell, Chart, grid, new_figure
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "percentile", "largest_saturating_share", "early_step",
           "early_accuracy", "accuracy", "run")  # fmt: skip
EARLY = 6  # the sixth part of a run: step 50 of 300


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each percentile study whose conversions say what share saturates."""
    for study in results.of_kind("percentiles"):
        rows = [row for point in study.points for row in _rows(study, point)]
        if len(rows) < 2:
            continue
        rows.sort(key=lambda row: float(row[2] or 0))
        yield Chart(
            f"{study.name}-saturation",
            study.name,
            "Left: the layer with the largest share of non-zero calibration activations above its"
            " scale. Right: accuracy early and at the end; dashed: the analog network.",
            COLUMNS,
            rows,
            lambda study=study, rows=rows: _draw(study, rows),  # type: ignore[misc]
        )


def _rows(study: Study, point: Point) -> Iterator[list[Cell]]:
    toggles = point.toggles
    full_method = (toggles["input"], toggles["reset"]) == ("analog", "subtract")
    if not full_method or toggles["normalization"] not in ("percentile", "max"):
        return
    layers = point.conversion.details.get("layers", []) if point.conversion else []
    shares = [layer["saturating"] for layer in layers if layer.get("saturating") is not None]
    if not shares:
        return
    percentile = 100.0 if toggles["normalization"] == "max" else toggles["percentile"]
    curve = point.simulation.curves["accuracy"]
    early = max(1, len(curve) // EARLY)
    yield [
        study.name, point.name, percentile, float(max(shares)), early, curve[early - 1], curve[-1],
        point.simulation.key[:12],
    ]  # fmt: skip


def _draw(study: Study, rows: list[list[Cell]]) -> "Figure":
    figure = new_figure(f"{study.dataset}: saturation against speed", study.extent, height=3.4)
    left = figure.add_axes((0.085, 0.155, 0.36, 0.62))
    right = figure.add_axes((0.56, 0.155, 0.33, 0.62))
    places = range(len(rows))
    names = [f"{row[2]:g}" for row in rows]
    shares = [100 * float(row[3] or 0) for row in rows]
    left.bar(places, shares, 0.55, color=QUIET)
    for place, share in zip(places, shares, strict=True):
        left.text(place, share, f"{share:.3g}", ha="center", va="bottom", fontsize=9)
    left.set_ylabel("saturating activations, %")
    early = rows[0][4]
    last = study.points[0].metrics["steps"]
    for column, colour, words in ((5, ORANGE, f"step {early}"), (6, BLUE, f"step {last}")):
        values = [float(row[column] or 0) for row in rows]
        right.plot(places, values, "o-", color=colour, linewidth=1.5, markersize=5)
        right.annotate(
            words, (len(rows) - 1, values[-1]), xytext=(8, 0), textcoords="offset points",
            color=colour, va="center", fontsize=9, annotation_clip=False,
        )  # fmt: skip
    ann = study.points[0].metrics["ann_accuracy"]
    right.axhline(ann, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    right.set_ylabel("accuracy, %")
    for axes in (left, right):
        axes.set_xticks(places, names)
        axes.set_xlim(-0.5, len(rows) - 0.5)
        axes.set_xlabel("percentile of the scale")
        grid(axes)
    return figure
