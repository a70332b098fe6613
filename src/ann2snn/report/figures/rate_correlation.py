"""How well rates and activations agree: against time, and against depth."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from ann2snn.report.chart import DISTINCT, Cell, Chart, grid, new_figure, shade, stacked_labels
from ann2snn.report.comparing import ComparedLayer, compared_points
from ann2snn.report.reading import Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "layer", "depth", "step", "correlation", "run")


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `theory`."""
    for study in results.of_kind("theory"):
        compared = compared_points(study)
        if not compared:
            continue
        yield Chart(
            f"{study.name}-correlation",
            study.name,
            "Pearson's correlation of rates and activations over all neurons of a layer and all"
            f" images. Left: every layer at every step ({study.points[0].label}). Right: at the"
            " last step, against depth.",
            COLUMNS,
            list(_rows(study, compared)),
            partial(_draw, study, compared),
        )


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> Iterator[list[Cell]]:
    for point in study.points:
        for layer in compared.get(point.name, []):
            for step, value in enumerate(layer.correlation, 1):
                yield [study.name, point.name, layer.name, layer.depth, step, value,
                       point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, compared: dict[str, list[ComparedLayer]]) -> "Figure":
    title = f"{study.dataset}: correlation of rates and activations"
    figure = new_figure(title, study.extent, height=3.6)
    left = figure.add_axes((0.075, 0.14, 0.32, 0.66))
    right = figure.add_axes((0.545, 0.14, 0.225, 0.66))
    layers = next(iter(compared.values()))
    ends = []
    for layer in layers:
        colour = shade(layer.depth - 1, len(layers))
        left.plot(range(1, len(layer.correlation) + 1), layer.correlation, color=colour)
        ends.append((layer.correlation[-1], layer.name, colour))
    left.set_xscale("log")
    left.set_xlim(1, len(layers[0].correlation))
    left.set_ylim(0, 1.02)
    ticks = [tick for tick in (1, 10, 100, 1000) if tick <= len(layers[0].correlation)]
    left.set_xticks(ticks, [str(tick) for tick in ticks])
    left.set_xlabel("time, steps")
    left.set_ylabel("correlation")
    labels = {point.name: point.label for point in study.points}
    names = []
    for place, (name, found) in enumerate(compared.items()):
        colour = DISTINCT[place % len(DISTINCT)]
        values = [layer.correlation[-1] for layer in found]
        right.plot([layer.depth for layer in found], values, "o-", color=colour, markersize=4)
        names.append((values[-1], labels[name], colour))
    right.set_xticks([layer.depth for layer in layers])
    right.set_xlim(0.8, len(layers) + 0.2)
    right.set_xlabel("depth, layers")
    right.margins(y=0.08)
    for axes, words in ((left, ends), (right, names)):
        grid(axes)
        stacked_labels(axes, words)
    return figure
