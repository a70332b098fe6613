"""Firing rates against the activations that they stand for, neuron by neuron."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, Cell, Chart, new_figure
from ann2snn.report.comparing import ComparedLayer, compared_points
from ann2snn.report.reading import Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "layer", "activation", "rate")
ROW = 1.75  # inches


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
            " all images.",
            COLUMNS,
            _rows(study, compared),
            lambda study=study, compared=compared: _draw(study, compared),  # type: ignore[misc]
        )


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> list[list[Cell]]:
    """The samples of every layer of every point."""
    return [
        [study.name, point, layer.name, activation, rate]
        for point, layers in compared.items()
        for layer in layers
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
            axes = figure.add_axes((0.055 + column * wide, bottom, wide - 0.03, 1.0 / height))
            axes.plot([0, 1, 2], [0, 1, 1], color=INK, linewidth=0.7, zorder=0)
            axes.plot(*zip(*layer.samples, strict=True), "o", color=BLUE, markersize=1.6, alpha=0.5)
            axes.set_xlim(0, 1.15)
            axes.set_ylim(-0.03, 1.05)
            axes.set_xticks([0, 1])
            axes.set_yticks([0, 1] if column == 0 else [])
            axes.text(
                0.04, 0.93, f"{layer.name}\nr = {layer.correlation[-1]:.3f}", fontsize=8,
                transform=axes.transAxes, va="top",
            )  # fmt: skip
    return figure
