"""What the analog architecture is worth: ANN and SNN of each variant, over training seeds."""

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, ORANGE, QUIET, Cell, Chart, grid, new_figure
from ann2snn.report.published import Published, published
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "label", "training_seed", "ann_accuracy", "snn_accuracy",
           "published_ann_accuracy", "published_mark", "run")  # fmt: skip


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `architecture`."""
    for study in results.of_kind("architecture"):
        yield Chart(
            study.name,
            study.name,
            "Dots: one training each; bars: their means. Grey ticks: the paper's ANNs on the"
            " original CIFAR-10; hollow ones are from memory, unverified.",
            COLUMNS,
            [_row(study, point) for point in study.points],
            lambda study=study: _draw(study),  # type: ignore[misc]
        )


def groups(study: Study) -> dict[str, list[Point]]:
    """Points by label: trainings of one variant with other seeds share theirs."""
    found: dict[str, list[Point]] = {}
    for point in study.points:
        found.setdefault(point.label, []).append(point)
    return found


def papers_network(study: Study, point: Point) -> Published | None:
    """The paper's ANN of this architecture, on CIFAR-10."""
    ann = point.simulation.settings["ann"]
    if not study.dataset.startswith("CIFAR-10") or ann["network"] != "cifar10_cnn":
        return None
    name = {
        (True, "max", "softmax"): "full",
        (False, "max", "softmax"): "no-bias",
        (False, "average", "softmax"): "average-pooling",
        (False, "average", "relu"): "relu-output",
    }.get((ann["bias"], ann["pooling"], ann["output"]))
    return published("architecture")[name] if name else None


def _row(study: Study, point: Point) -> list[Cell]:
    theirs = papers_network(study, point)
    return [
        study.name, point.name, point.label, point.simulation.settings["ann"]["seed"],
        point.metrics["ann_accuracy"], point.metrics["snn_accuracy"],
        theirs.value if theirs else None, theirs.mark if theirs else None, point.simulation.key,
    ]  # fmt: skip


def _draw(study: Study) -> "Figure":
    figure = new_figure(f"{study.dataset}: {study.title}", study.extent)
    axes = figure.add_axes((0.075, 0.17, 0.905, 0.66))
    variants = groups(study)
    for place, points in enumerate(variants.values()):
        pairs = (("ann_accuracy", -0.2, ORANGE, "ANN"), ("snn_accuracy", 0.2, BLUE, "SNN"))
        for metric, shift, colour, words in pairs:
            values = [point.metrics[metric] for point in points]
            mean = sum(values) / len(values)
            axes.bar(place + shift, mean, 0.38, color=colour, alpha=0.55, label=words)
            axes.plot([place + shift] * len(values), values, "o", color=INK, markersize=3)
            axes.text(place + shift, max(values) + 1.5, f"{mean:.2f}", ha="center")
        theirs = papers_network(study, points[0])
        if theirs:
            axes.plot(
                place - 0.43, theirs.value, ">", color=QUIET, markersize=7,
                fillstyle="full" if theirs.mark == "A" else "none",
            )  # fmt: skip
    axes.set_ylim(0, 112)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("accuracy, %")
    axes.set_xticks(range(len(variants)), [fill(label, 22) for label in variants], fontsize=8.5)
    axes.tick_params(axis="x", length=0)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles.keys(), loc="upper right", ncols=2, fontsize=9)
    grid(axes)
    return figure
