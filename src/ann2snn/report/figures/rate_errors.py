"""How far rates are from activations at every step, beside the equations' predictions."""

from collections.abc import Iterator
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.mechanisms.resets import RESETS
from ann2snn.plots.colours import INK, QUIET, shade
from ann2snn.plots.drawing import grid, legend_under_heading, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.comparing import ComparedLayer, compared_points, predicted_error
from ann2snn.report.errors_on_axes import logarithmic
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.results import Point, Results, Study

COLUMNS = ("study", "point", "layer", "step", "error", "predicted_error", "run")
ROW = 2.4  # inches
HEAD = 0.9  # inches, with the legend of all panels
GUIDE = 10  # the step from which 1 / t is drawn


def chart(_: Results, study: Study) -> Chart | None:
    """A panel for each point that compared rates with activations."""
    compared = compared_points(study)
    if not compared:
        return None
    return Chart(
        f"{study.name}-errors",
        study.name,
        "Mean |rate - activation| of every layer at every step, from the first layer (bright) to"
        " the last (dark). Dashed: what the equations predict of the first layer, from its"
        " activations alone: under subtraction half a spike in t steps for every active neuron,"
        " under reset to zero what every spike loses for ever, and in both what is above one spike"
        f" a step. Dotted: 1/t from step {GUIDE} of the last layer.",
        COLUMNS,
        list(_rows(study, compared)),
        partial(_draw, study, compared),
    )


FIGURES.add(StudyFigure("errors", ("theory",), chart))


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> Iterator[list[Cell]]:
    for point in study.points:
        for layer in compared.get(point.name, []):
            for step, error in enumerate(layer.error, 1):
                theory = predicted_error(point, layer, step)
                yield [study.name, point.name, layer.name, step, error, theory,
                       point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, compared: dict[str, list[ComparedLayer]]) -> Figure:
    rows = (len(compared) + 1) // 2
    height = HEAD + ROW * rows
    figure = new_figure(f"{study.dataset}: error of the rates", study.extent, height)
    panels = figure.subplots(rows, 2, squeeze=False)
    points = [point for point in study.points if point.name in compared]
    errors = [value for layers in compared.values() for layer in layers for value in layer.error]
    lowest = max(min(value for value in errors if value > 0) / 1.5, 1e-5)
    for axes, point in zip(panels.flat, points, strict=False):
        _panel(axes, point, compared[point.name])
        axes.set_ylim(lowest, 1.3 * max(errors))
    for axes in panels[:, 0]:
        axes.set_ylabel("mean |rate - activation|")
    for axes in panels.flat[len(points) :]:
        axes.remove()
    legend_under_heading(figure, fontsize=8, handlelength=1.8, columnspacing=1.1, handletextpad=0.5)
    return figure


def _panel(axes: Axes, point: Point, layers: list[ComparedLayer]) -> None:
    steps = range(1, len(layers[0].error) + 1)
    for layer in layers:
        colour = shade(layer.depth - 1, len(layers))
        axes.plot(steps, layer.error, color=colour, linewidth=1.5, label=layer.name)
    for layer in layers:
        theory = [predicted_error(point, layer, step) for step in steps]
        predicted = [value for value in theory if value is not None]
        if predicted:
            axes.plot(
                steps, predicted, color=INK, linewidth=1, linestyle=(0, (4, 2.5)),
                label=f"predicted of {layer.name}",
            )  # fmt: skip
    if len(steps) > GUIDE and not RESETS[point.toggles["reset"]].loses:
        start = layers[-1].error[GUIDE - 1]
        later = steps[GUIDE - 1 :]
        axes.plot(
            later, [start * GUIDE / step for step in later], color=QUIET, linewidth=1,
            linestyle=":", label=f"1/t from step {GUIDE} of {layers[-1].name}",
        )  # fmt: skip
    axes.set_yscale("log")
    logarithmic(axes, "x", 1, len(steps))
    axes.set_xlabel("time, steps")
    axes.set_title(point.label)
    grid(axes)
