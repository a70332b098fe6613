"""Firing rates against the activations that they stand for, neuron by neuron."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, QUIET, Cell, Chart, new_figure
from ann2snn.report.comparing import ComparedLayer, compared_points
from ann2snn.report.reading import Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "layer", "activation", "rate", "run")
ROW = 1.75  # inches
ENDS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0,
        10.0)  # fmt: skip


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `theory`: a row a point, a panel a layer."""
    for study in results.of_kind("theory"):
        compared = compared_points(study)
        if not compared:
            continue
        yield Chart(
            f"{study.name}-rates",
            study.name,
            "Each dot a neuron of one image, drawn among those that are active or have fired, at"
            " the last step: its rate against its activation, in units of its layer's scale. On"
            " the line both are equal, up to one spike a step; r: correlation over all neurons of"
            " all images. Each panel has its own axes, to the number written at their ends.",
            COLUMNS,
            _rows(study, compared),
            partial(_draw, study, compared),
        )


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> list[list[Cell]]:
    """The samples of every layer of every point."""
    return [
        [study.name, point.name, layer.name, activation, rate, point.simulation.key[:12]]
        for point in study.points
        for layer in compared.get(point.name, [])
        for activation, rate in layer.samples
    ]


def _draw(study: Study, compared: dict[str, list[ComparedLayer]]) -> "Figure":
    labels = {point.name: point.label for point in study.points}
    height = 0.85 + ROW * len(compared)
    figure = new_figure(f"{study.dataset}: rate against activation", study.extent, height)
    columns = max(len(layers) for layers in compared.values())
    wide = 0.93 / columns
    for row, (point, layers) in enumerate(compared.items()):
        bottom = 1 - (0.75 + ROW * (row + 1) - 0.42) / height
        figure.text(
            0.055, bottom + 1.21 / height, labels[point], fontsize=9, weight="bold", color=INK
        )
        for column, layer in enumerate(layers):
            place = (0.055 + column * wide, bottom, wide - 0.04, 1.0 / height)
            _panel(figure.add_axes(place), layer)
    return figure


def _panel(axes: "Axes", layer: ComparedLayer) -> None:
    activations, rates = ([pair[which] for pair in layer.samples] for which in (0, 1))
    largest = max([*activations, *rates], default=1.0)
    end = next((end for end in ENDS if end >= largest), largest)
    top = min(end, 1.0)
    axes.plot([0, 1, max(end, 1) * 1.1], [0, 1, 1], color=INK, linewidth=0.7, zorder=0)
    axes.plot(activations, rates, "o", color=BLUE, markersize=1.6, alpha=0.5)
    axes.set_xlim(-0.02 * end, 1.08 * end)
    axes.set_ylim(-0.04 * top, 1.08 * top)
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
