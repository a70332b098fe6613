"""Analog against Poisson input, by activation: where rates are low, noise weighs most."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, VERMILION, Cell, Chart, grid, new_figure
from ann2snn.report.comparing import ComparedLayer, compared_layers
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "layer", "from", "to", "neurons", "mean_error", "run")
FEWEST = 30
INPUTS = {"analog": (BLUE, "analog input"), "poisson": (VERMILION, "Poisson input")}


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `theory` with two points that differ in the input alone."""
    for study in results.of_kind("theory"):
        pair = _pair(study)
        if not pair:
            continue
        yield Chart(
            f"{study.name}-low-activations",
            study.name,
            "Mean |rate - activation| over the middle of its bin of activations, at the last step,"
            f" in the first layer and in the last, for bins of at least {FEWEST} neurons; what is"
            " above one spike a step is left out.",
            COLUMNS,
            [row for point in pair.values() for row in _rows(study, point)],
            partial(_draw, study, pair),
        )


def _pair(study: Study) -> dict[str, Point]:
    """The first two points that differ in the input alone, by input; none if there are not two."""
    for first in study.points:
        for second in study.points:
            same = {**first.toggles, "input": ""} == {**second.toggles, "input": ""}
            inputs = first.toggles["input"], second.toggles["input"]
            if same and inputs == ("analog", "poisson") and compared_layers(first):
                return {"analog": first, "poisson": second}
    return {}


def _rows(study: Study, point: Point) -> Iterator[list[Cell]]:
    for layer in compared_layers(point):
        for low, high, number, mean in layer.bins:
            yield [study.name, point.name, layer.name, low, high, number, mean,
                   point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, pair: dict[str, Point]) -> "Figure":
    title = f"{study.dataset}: what analog input is worth where activations are low"
    figure = new_figure(title, study.extent, height=3.4)
    places = ((0.105, 0.155, 0.37, 0.60), (0.59, 0.155, 0.37, 0.60))
    for end, place in zip((0, -1), places, strict=True):
        axes = figure.add_axes(place)
        for coding, (colour, words) in INPUTS.items():
            layer = compared_layers(pair[coding])[end]
            axes.plot(*_relative(layer), "o-", color=colour, markersize=4, label=words)
            axes.set_title(f"layer {layer.name}", fontsize=9)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("activation, in units of the scale")
        grid(axes)
        if end == 0:
            axes.set_ylabel("mean error / activation")
            axes.legend(fontsize=8.5)
    return figure


def _relative(layer: ComparedLayer) -> tuple[list[float], list[float]]:
    """Middles of the bins, and the mean error over them."""
    kept = [((low + high) / 2, mean) for low, high, number, mean in layer.bins if number >= FEWEST]
    return [middle for middle, _ in kept], [mean / middle for middle, mean in kept]
