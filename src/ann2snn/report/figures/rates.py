"""Firing rates against the activations that they stand for, neuron by neuron."""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.plots.colours import BLUE, INK, ORANGE, QUIET
from ann2snn.plots.drawing import new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.comparing import ComparedLayer, compared_points
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "layer", "activation", "rate", "run")
ROW = 1.75  # inches
ENDS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0,
        10.0)  # fmt: skip


def chart(_: Results, study: Study) -> Chart | None:
    """A row for each point that compared rates with activations, a panel for each layer."""
    compared = compared_points(study)
    if not compared:
        return None
    return Chart(
        f"{study.name}-rates",
        study.name,
        "Each dot a neuron of one image, drawn among those that are active or have fired, at the"
        " last step: its rate against its activation, in units of its layer's scale. On the dark"
        " line both are equal, up to one spike a step; orange: the rate that the reset gives the"
        " first layer's constant current; r: correlation over all neurons of all images. Each panel"
        " has its own axes, to the number written at their ends.",
        COLUMNS,
        _rows(study, compared),
        partial(_draw, study, compared),
    )


FIGURES.add(StudyFigure("rates", ("theory",), chart))


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> list[list[Cell]]:
    """The samples of every layer of every point."""
    return [
        [study.name, point.name, layer.name, activation, rate, point.simulation.key[:12]]
        for point in study.points
        for layer in compared.get(point.name, [])
        for activation, rate in layer.samples
    ]


def _draw(study: Study, compared: dict[str, list[ComparedLayer]]) -> Figure:
    points = [point for point in study.points if point.name in compared]
    height = 0.75 + ROW * len(points)
    figure = new_figure(f"{study.dataset}: rate against activation", study.extent, height)
    columns = max(len(layers) for layers in compared.values())
    panels = figure.subplots(len(points), columns, squeeze=False)
    for row, point in zip(panels, points, strict=True):
        row[0].set_title(point.label, loc="left", weight="bold")
        layers = compared[point.name]
        for axes, layer in zip(row, layers, strict=False):
            _panel(axes, point, layer)
        for axes in row[len(layers) :]:
            axes.remove()
    return figure


def _panel(axes: Axes, point: Point, layer: ComparedLayer) -> None:
    activations, rates = ([pair[which] for pair in layer.samples] for which in (0, 1))
    largest = max([*activations, *rates], default=1.0)
    end = next((end for end in ENDS if end >= largest), largest)
    top = min(end, 1.0)
    axes.plot([0, 1, max(end, 1) * 1.1], [0, 1, 1], color=INK, linewidth=0.7, zorder=0)
    if layer.depth == 1 and INPUTS[point.toggles["input"]].static:
        currents = np.linspace(0, 1.08 * end, 1000)
        predicted = RESETS[point.toggles["reset"]].rate(currents)
        axes.plot(currents, predicted, color=ORANGE, linewidth=0.9, zorder=0)
    axes.plot(activations, rates, "o", color=BLUE, markersize=1.6, alpha=0.5)
    axes.set(xlim=(-0.02 * end, 1.08 * end), ylim=(-0.04 * top, 1.08 * top))
    axes.set_xticks([0, end], ["0", f"{end:g}"])
    axes.set_yticks([0, top], ["0", f"{top:g}"])
    axes.tick_params(labelsize=8.5)
    axes.text(
        0.04, 0.97, f"{layer.name}\nr = {layer.correlation[-1]:.3f}", fontsize=8,
        transform=axes.transAxes, va="top",
    )  # fmt: skip
    axes.text(
        0.97, 0.06, f"{len(layer.samples)} dots", fontsize=7.5, transform=axes.transAxes,
        ha="right", color=QUIET,
    )  # fmt: skip
