"""Figure 2: what each mechanism adds, as bars, with the analog network as a dashed line."""

from collections.abc import Iterator, Sequence
from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING

from ann2snn.records import Json
from ann2snn.report.chart import (
    BEYOND,
    BLUE,
    DASHED,
    FAINT,
    INK,
    NO_ERROR,
    POISSON_INTERVALS,
    QUIET,
    WHITE,
    Cell,
    Chart,
    error_axis,
    grid,
    inside_axis,
    new_figure,
    shown_error,
    stacked_labels,
)
from ann2snn.report.published import Published, papers_bar, published
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "label", "dataset", "images", "steps", "snn_accuracy",
           "interval_low", "interval_high", "ann_accuracy", "published_accuracy",
           "published_ann_accuracy", "run")  # fmt: skip
ALIKE = 1.0  # points: bars from 0 to 100 that differ by less look equal
MANY_ALIKE = 3


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `ablation`."""
    for study in results.of_kind("ablation"):
        beside = [papers_bar(point.simulation.settings, study.dataset) for point in study.points]
        yield Chart(
            study.name,
            study.name,
            _caption(study, beside),
            COLUMNS,
            [_row(study, point, bar) for point, bar in zip(study.points, beside, strict=True)],
            partial(_draw, study, beside),
        )


def _caption(study: Study, beside: Sequence[Published | None]) -> str:
    words = "Dashed: the analog network. Whiskers: 95 % Wilson intervals."
    if any(beside):
        words += " Grey: the paper's bars and its analog network, on the original CIFAR-10."
    if look_alike(study):
        words += " Below: the error, on a logarithmic axis, where the bars look equal."
        words += "" if all(_inside(study)) else BEYOND
        right = [point.metrics["snn_accuracy"] for point in study.points]
        words += NO_ERROR if max(*right, study.points[0].metrics["ann_accuracy"]) >= 100 else ""
    if any(point.toggles["input"] == "poisson" for point in study.points):
        words += POISSON_INTERVALS
    return words


def look_alike(study: Study) -> bool:
    """Whether several bars differ by less than bars from 0 to 100 show."""
    values = sorted(point.metrics["snn_accuracy"] for point in study.points)
    return any(
        high - low < ALIKE for low, high in zip(values, values[MANY_ALIKE - 1 :], strict=False)
    )


def _errors(study: Study) -> list[float]:
    """The errors (percent) of all points, and last of the analog network, as drawn."""
    images = study.points[0].metrics["images"]
    values = [point.metrics["snn_accuracy"] for point in study.points]
    return [
        shown_error(value, images) for value in (*values, study.points[0].metrics["ann_accuracy"])
    ]


def _interval(point: Point) -> tuple[float, float]:
    """The ends of a point's error, as drawn, from low to high."""
    found = point.metrics
    low, high = (shown_error(found[f"interval_{e}"], found["images"]) for e in ("high", "low"))
    return low, high


def _inside(study: Study) -> list[bool]:
    """Which points' errors the second panel has room for."""
    *errors, ann = _errors(study)
    return inside_axis(errors, [_interval(point)[1] for point in study.points], [ann])


def _row(study: Study, point: Point, bar: Published | None) -> list[Cell]:
    found = point.metrics
    return [
        study.name, point.name, point.label, study.dataset, found["images"], found["steps"],
        found["snn_accuracy"], found["interval_low"], found["interval_high"],
        found["ann_accuracy"], bar.value if bar else None,
        published("ablation")["ann"].value if bar else None, point.simulation.key,
    ]  # fmt: skip


def _draw(study: Study, beside: Sequence[Published | None]) -> "Figure":
    zoomed = look_alike(study)
    height = 5.9 if zoomed else 4.2
    figure = new_figure(f"{study.dataset}: what each mechanism adds", study.extent, height)
    wide = 0.755 if any(beside) else 0.8
    axes = figure.add_axes((0.075, 1 - 3.486 / height, wide, 2.772 / height))
    _bars(axes, study, beside)
    lowest = axes
    if zoomed:
        lowest = figure.add_axes((0.075, 0.714 / height, wide, 1.45 / height))
        axes.set_xticks([])
        _zoom(lowest, study)
    lowest.set_xticks(
        range(len(study.points)), [fill(point.label, 19) for point in study.points], fontsize=8.5
    )
    lowest.tick_params(axis="x", length=0)
    if any(beside):
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(
            handles.values(), handles.keys(), loc="upper right", fontsize=8.5,
            bbox_to_anchor=(0.99, 1 - 0.02 / height),
        )  # fmt: skip
    return figure


def _bars(axes: "Axes", study: Study, beside: Sequence[Published | None]) -> None:
    width = 0.4 if any(beside) else 0.56
    shift = width / 2 if any(beside) else 0.0
    for place, (point, bar) in enumerate(zip(study.points, beside, strict=True)):
        found = point.metrics
        height = found["snn_accuracy"]
        axes.bar(place - shift, height, width, color=BLUE, label=f"this project, {study.dataset}")
        axes.errorbar(
            place - shift, height, capsize=2.5, color=INK, linewidth=1,
            yerr=[[height - found["interval_low"]], [found["interval_high"] - height]],
        )  # fmt: skip
        _write_value(axes, place - shift, height, found, "white", BLUE)
        if bar:
            axes.bar(
                place + shift, bar.value, width, color=FAINT, label="the paper, original CIFAR-10"
            )
            _write_value(axes, place + shift, bar.value, {}, INK, QUIET)
    ann = study.points[0].metrics["ann_accuracy"]
    axes.axhline(ann, color=INK, linewidth=1, linestyle=DASHED, zorder=0)
    labels = [(ann, f"ANN {ann:.2f}", INK)]
    if any(beside):
        theirs = published("ablation")["ann"].value
        axes.axhline(theirs, color=QUIET, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        labels.append((theirs, f"paper's ANN {theirs:.2f}", QUIET))
    axes.set_xlim(-0.55, len(study.points) - 0.45)
    axes.set_ylim(0, 102)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("accuracy of the SNN, %")
    grid(axes)
    stacked_labels(axes, labels)


def _write_value(
    axes: "Axes", place: float, height: float, found: Json, inside: str, above: str
) -> None:
    """Writes a bar's value into its top, or over a short bar: never across the dashed line."""
    low, high = found.get("interval_low", height), found.get("interval_high", height)
    tall = low > 10
    axes.text(
        place, low - 1.5 if tall else high + 1.5, f"{height:.2f}", ha="center",
        va="top" if tall else "bottom", color=inside if tall else above, weight="bold",
        fontsize=9,
    )  # fmt: skip


def _zoom(axes: "Axes", study: Study) -> None:
    """The errors with their intervals, or an arrow where one is beyond the axis."""
    errors, inside = _errors(study), _inside(study)
    shown = [errors[-1]]
    for place, (point, error) in enumerate(zip(study.points, errors, strict=False)):
        if not inside[place]:
            continue
        ends = _interval(point)
        axes.plot([place, place], ends, color=BLUE, linewidth=2)
        axes.plot(place, error, "o", color=BLUE, markersize=6)
        shown += ends
    error_axis(axes, "y", min(shown), max(shown))
    edge = axes.get_ylim()[1]
    for place, (point, error) in enumerate(zip(study.points, errors, strict=False)):
        height = error if inside[place] else edge
        if not inside[place]:
            axes.plot(place, edge, "^", color=BLUE, markersize=6, clip_on=False)
        axes.text(
            place + 0.07, height, f"{100 - point.metrics['snn_accuracy']:.2f}", color=BLUE,
            va="center" if inside[place] else "top", fontsize=9, bbox=WHITE,
        )  # fmt: skip
    axes.axhline(errors[-1], color=INK, linewidth=1, linestyle=DASHED, zorder=0)
    ann = study.points[0].metrics["ann_accuracy"]
    axes.set_xlim(-0.55, len(study.points) - 0.45)
    axes.set_ylabel("error, %")
    grid(axes)
    stacked_labels(axes, [(errors[-1], f"ANN {100 - ann:.2f}", INK)])
