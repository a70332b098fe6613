"""How well rates and activations agree: against time, and against depth."""

from collections.abc import Iterator
from functools import partial

from matplotlib.figure import Figure

from ann2snn.plots.colours import DISTINCT, shade
from ann2snn.plots.drawing import grid, new_figure, stacked_labels
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.comparing import ComparedLayer, compared_points
from ann2snn.report.errors_on_axes import logarithmic
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.results import Results, Study

COLUMNS = ("study", "point", "layer", "depth", "step", "correlation", "run")


def chart(_: Results, study: Study) -> Chart | None:
    compared = compared_points(study)
    if not compared:
        return None
    return Chart(
        f"{study.name}-correlation",
        study.name,
        "Pearson's correlation of rates and activations over all neurons of a layer and all images."
        f" Left: every layer at every step ({study.points[0].label}). Right: at the last step,"
        " against depth.",
        COLUMNS,
        list(_rows(study, compared)),
        partial(_draw, study, compared),
    )


FIGURES.add(StudyFigure("correlation", ("theory",), chart))


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> Iterator[list[Cell]]:
    for point in study.points:
        for layer in compared.get(point.name, []):
            for step, value in enumerate(layer.correlation, 1):
                yield [study.name, point.name, layer.name, layer.depth, step, value,
                       point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, compared: dict[str, list[ComparedLayer]]) -> Figure:
    title = f"{study.dataset}: correlation of rates and activations"
    figure = new_figure(title, study.extent, height=3.6)
    left, right = figure.subplots(1, 2, width_ratios=(0.58, 0.42))
    layers = next(iter(compared.values()))
    ends = []
    for layer in layers:
        colour = shade(layer.depth - 1, len(layers))
        left.plot(range(1, len(layer.correlation) + 1), layer.correlation, color=colour)
        ends.append((layer.correlation[-1], layer.name, colour))
    logarithmic(left, "x", 1, len(layers[0].correlation))
    left.set(ylim=(0, 1.02), xlabel="time, steps", ylabel="correlation")
    labels = {point.name: point.label for point in study.points}
    names = []
    for place, (name, found) in enumerate(compared.items()):
        colour = DISTINCT[place % len(DISTINCT)]
        values = [layer.correlation[-1] for layer in found]
        right.plot([layer.depth for layer in found], values, "o-", color=colour, markersize=4)
        names.append((values[-1], labels[name], colour))
    right.set_xticks([layer.depth for layer in layers])
    right.set(xlim=(0.8, len(layers) + 0.2), xlabel="depth, layers")
    right.margins(y=0.08)
    for axes, words in ((left, ends), (right, names)):
        grid(axes)
        stacked_labels(axes, words)
    return figure
