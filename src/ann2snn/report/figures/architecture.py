"""ANN and SNN of each variant over training seeds: what the architecture is worth, or few steps."""

from functools import partial
from textwrap import fill
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, FAINT, INK, ORANGE, QUIET
from ann2snn.plots.drawing import grid, legend_under_heading, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.published import Published, papers_network
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "label", "training_seed", "ann_accuracy", "snn_accuracy",
           "published_ann_accuracy", "published_mark", "run")  # fmt: skip
COLUMNS_OF_DOTS = (("ann_accuracy", -0.18, ORANGE, "ANN"), ("snn_accuracy", 0.265, BLUE, "SNN"))
PAPERS: dict[str, tuple[str, Literal["full", "none"]]] = {
    "A": ("the paper's ANN", "full"),
    "M": ("the paper's ANN, from memory, unverified", "none"),
}
APART = 0.065  # between the dots of one variant
NARROWEST = 5.0  # points on the axis, where all accuracies are alike
WRAPPED = 100  # characters of labels that fit side by side


def chart(_: Results, study: Study) -> Chart:
    rows = [_row(study, point) for point in study.points]
    return Chart(study.name, study.name, _caption(study), COLUMNS, rows, partial(_draw, study))


FIGURES.add(StudyFigure("architecture", ("architecture", "seeds"), chart))


def _caption(study: Study) -> str:
    words = (
        "Dots: one training each; short lines and bold numbers: their means; small numbers: the"
        " smallest to the largest. The axis does not begin at 0."
    )
    theirs = [_papers_ann(study, point) for point in study.points]
    marks = {network.mark for network in theirs if network}
    if marks:
        words += " Grey triangles: the paper's ANNs on the original CIFAR-10"
        words += "; hollow: from memory, unverified." if "M" in marks else "."
    return words


def _papers_ann(study: Study, point: Point) -> Published | None:
    """The paper's ANN of this architecture, in a study of architectures."""
    if study.kind != "architecture":
        return None
    return papers_network(point.simulation.settings, study.dataset)


def _row(study: Study, point: Point) -> list[Cell]:
    theirs = _papers_ann(study, point)
    return [
        study.name, point.name, point.label, point.simulation.settings["ann"]["seed"],
        point.metrics["ann_accuracy"], point.metrics["snn_accuracy"],
        theirs.value if theirs else None, theirs.mark if theirs else None, point.simulation.key,
    ]  # fmt: skip


def _draw(study: Study) -> Figure:
    variants = study.variants
    figure = new_figure(f"{study.dataset}: {study.title}", study.extent, height=4.6)
    axes = figure.subplots()
    for place, points in enumerate(variants.values()):
        for metric, shift, colour, name in COLUMNS_OF_DOTS:
            _column(axes, place + shift, [p.metrics[metric] for p in points], colour, name)
        theirs = _papers_ann(study, points[0])
        if theirs:
            name, fill_style = PAPERS[theirs.mark]
            axes.plot(
                place - 0.45, theirs.value, ">", color=QUIET, markersize=7, label=name,
                fillstyle=fill_style,
            )  # fmt: skip
        if place:
            axes.axvline(place - 0.51, color=FAINT, linewidth=0.8)
    low, high = axes.dataLim.intervaly
    span = max(high - low, NARROWEST)
    axes.set_ylim(max(low - 0.08 * span, 0), high + 0.22 * span)
    axes.set_yticks([tick for tick in axes.get_yticks() if axes.get_ylim()[0] <= tick <= 100])
    axes.set_xlim(-0.55, len(variants) - 0.48)
    axes.set_ylabel("accuracy, %")
    words = [fill(label, round(WRAPPED / len(variants))) for label in variants]
    axes.set_xticks(range(len(variants)), words, fontsize=8.5)
    axes.tick_params(axis="x", length=0)
    grid(axes)
    legend_under_heading(figure, handletextpad=0.3, columnspacing=1.4)
    return figure


def _column(axes: Axes, place: float, values: list[float], colour: str, name: str) -> None:
    """A dot per training, their mean as a line, and in words the mean and the spread."""
    mean = sum(values) / len(values)
    places = [place + APART * (number - (len(values) - 1) / 2) for number in range(len(values))]
    axes.plot([place - 0.15, place + 0.15], [mean, mean], color=colour, linewidth=1.2)
    axes.plot(places, values, "o", color=colour, markersize=4, label=name)
    axes.annotate(
        f"{mean:.2f}", (place, max(values)), xytext=(0, 15 if len(values) > 1 else 6),
        textcoords="offset points", ha="center", weight="bold", color=INK,
    )  # fmt: skip
    if len(values) > 1:
        axes.annotate(
            f"{min(values):.1f} to {max(values):.1f}", (place, max(values)), xytext=(0, 6),
            textcoords="offset points", ha="center", fontsize=7, color=QUIET,
        )  # fmt: skip
