"""Constant against spiking input, by activation: where rates are low, noise weighs most."""

from collections.abc import Iterator
from functools import partial

from matplotlib.figure import Figure

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.plots.colours import DISTINCT
from ann2snn.plots.drawing import grid, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.comparing import ComparedLayer, compared_layers
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "layer", "from", "to", "neurons", "mean_error", "run")
FEWEST = 30


def chart(_: Results, study: Study) -> Chart | None:
    """One where two points differ in the input alone."""
    pair = _pair(study)
    if not pair:
        return None
    return Chart(
        f"{study.name}-low-activations",
        study.name,
        "Mean |rate - activation| over the middle of its bin of activations, at the last step, in"
        f" the first layer and in the last, for bins of at least {FEWEST} neurons; what is above"
        " one spike a step is left out.",
        COLUMNS,
        [row for point in pair for row in _rows(study, point)],
        partial(_draw, study, pair),
    )


FIGURES.add(StudyFigure("low-activations", ("theory",), chart))


def _pair(study: Study) -> list[Point]:
    """The first two points that differ in the input alone, the constant one first; none if there
    are not two."""
    for first in study.points:
        for second in study.points:
            same = {**first.toggles, "input": ""} == {**second.toggles, "input": ""}
            static = [INPUTS[point.toggles["input"]].static for point in (first, second)]
            if same and static == [True, False] and compared_layers(first):
                return [first, second]
    return []


def _rows(study: Study, point: Point) -> Iterator[list[Cell]]:
    for layer in compared_layers(point):
        for low, high, number, mean in layer.bins:
            yield [study.name, point.name, layer.name, low, high, number, mean,
                   point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, pair: list[Point]) -> Figure:
    first = pair[0].toggles["input"]
    title = f"{study.dataset}: what {first} input is worth where activations are low"
    figure = new_figure(title, study.extent, height=3.4)
    panels = figure.subplots(1, 2)
    for end, axes in zip((0, -1), panels, strict=True):
        for point, colour in zip(pair, DISTINCT, strict=False):
            layer = compared_layers(point)[end]
            axes.plot(*_relative(layer), "o-", color=colour, markersize=4, label=point.label)
            axes.set_title(f"layer {layer.name}")
        axes.set(xscale="log", yscale="log", xlabel="activation, in units of the scale")
        grid(axes)
    panels[0].set_ylabel("mean error / activation")
    panels[0].legend()
    return figure


def _relative(layer: ComparedLayer) -> tuple[list[float], list[float]]:
    """Middles of the bins, and the mean error over them."""
    kept = [((low + high) / 2, mean) for low, high, number, mean in layer.bins if number >= FEWEST]
    return [middle for middle, _ in kept], [mean / middle for middle, mean in kept]
