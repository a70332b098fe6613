"""Figure 2: what each mechanism adds, as bars, with the analog network as a dashed line."""

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING

from ann2snn.records import Json
from ann2snn.report.chart import BLUE, FAINT, INK, QUIET, Cell, Chart, grid, new_figure
from ann2snn.report.published import Published, bar_of, is_papers_network, published
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "label", "dataset", "images", "steps", "snn_accuracy",
           "interval_low", "interval_high", "ann_accuracy", "published_accuracy",
           "run")  # fmt: skip


def papers_bar(study: Study, point: Point) -> Published | None:
    """The paper's bar with this point's mechanisms, where the network is the paper's."""
    name = bar_of(point.toggles)
    comparable = is_papers_network(point.simulation.settings, study.dataset)
    return published("ablation").get(name) if comparable and name else None


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `ablation`."""
    for study in results.of_kind("ablation"):
        beside = [papers_bar(study, point) for point in study.points]
        words = "Dashed: the analog network. Whiskers: 95 % Wilson intervals."
        if any(beside):
            words += " Grey: the paper's bars, on the original CIFAR-10."
        yield Chart(
            study.name,
            study.name,
            words,
            COLUMNS,
            [_row(study, point, bar) for point, bar in zip(study.points, beside, strict=True)],
            lambda study=study, beside=beside: _draw(study, beside),  # type: ignore[misc]
        )


def _row(study: Study, point: Point, bar: Published | None) -> list[Cell]:
    found = point.metrics
    return [
        study.name, point.name, point.label, study.dataset, found["images"], found["steps"],
        found["snn_accuracy"], found["interval_low"], found["interval_high"],
        found["ann_accuracy"], bar.value if bar else None, point.simulation.key,
    ]  # fmt: skip


def _draw(study: Study, beside: list[Published | None]) -> "Figure":
    figure = new_figure(f"{study.dataset}: what each mechanism adds", study.extent)
    axes = figure.add_axes((0.075, 0.17, 0.85, 0.66))
    both = any(beside)
    width = 0.4 if both else 0.56
    shift = width / 2 if both else 0.0
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
    axes.axhline(ann, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    axes.text(
        1.008, ann, f"ANN\n{ann:.2f}", transform=axes.get_yaxis_transform(), va="center",
        fontsize=9,
    )  # fmt: skip
    axes.set_xlim(-0.55, len(study.points) - 0.45)
    axes.set_ylim(0, 102)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("accuracy of the SNN, %")
    axes.set_xticks(
        range(len(study.points)), [fill(point.label, 19) for point in study.points], fontsize=8.5
    )
    axes.tick_params(axis="x", length=0)
    grid(axes)
    if both:
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(
            handles.values(), handles.keys(), loc="upper right", ncols=2, fontsize=8.5,
            bbox_to_anchor=(0.99, 0.94),
        )  # fmt: skip
    return figure


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
