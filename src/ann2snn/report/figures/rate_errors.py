"""How far rates are from activations at every step, beside what the equations predict."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from ann2snn.report.chart import INK, QUIET, Cell, Chart, grid, new_figure, shade
from ann2snn.report.comparing import ComparedLayer, compared_points, predicted_error
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "layer", "step", "error", "predicted_error", "run")
ROW = 2.6  # inches
HEAD = 0.7  # inches, with the legend of all panels
GUIDE = 10  # the step from which 1 / t is drawn


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `theory`, a panel a point."""
    for study in results.of_kind("theory"):
        compared = compared_points(study)
        if not compared:
            continue
        yield Chart(
            f"{study.name}-errors",
            study.name,
            "Mean |rate - activation| of every layer at every step, from the first layer (bright)"
            " to the last (dark). Dashed: what the equations predict of the first layer, from its"
            " activations alone: under subtraction half a spike in t steps for every active"
            " neuron, under reset to zero what every spike loses for ever, and in both what is"
            f" above one spike a step. Dotted: 1/t from step {GUIDE} of the last layer.",
            COLUMNS,
            list(_rows(study, compared)),
            partial(_draw, study, compared),
        )


def _rows(study: Study, compared: dict[str, list[ComparedLayer]]) -> Iterator[list[Cell]]:
    for point in study.points:
        for layer in compared.get(point.name, []):
            for step, error in enumerate(layer.error, 1):
                theory = predicted_error(point, layer, step)
                yield [study.name, point.name, layer.name, step, error, theory,
                       point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, compared: dict[str, list[ComparedLayer]]) -> "Figure":
    rows = (len(compared) + 1) // 2
    height = HEAD + ROW * rows
    figure = new_figure(f"{study.dataset}: error of the rates", study.extent, height)
    points = [point for point in study.points if point.name in compared]
    errors = [value for layers in compared.values() for layer in layers for value in layer.error]
    lowest = max(min(value for value in errors if value > 0) / 1.5, 1e-5)
    for place, point in enumerate(points):
        row, column = divmod(place, 2)
        bottom = 1 - (HEAD + ROW * (row + 1) - 0.5) / height
        axes = figure.add_axes((0.085 + 0.47 * column, bottom, 0.40, (ROW - 0.95) / height))
        _panel(axes, point, compared[point.name])
        axes.set_ylim(lowest, 1.3 * max(errors))
        if column == 0:
            axes.set_ylabel("mean |rate - activation|")
    handles = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    layers = [layer.name for layer in next(iter(compared.values()))]
    names = [*layers, *(name for name in handles if name not in layers)]
    figure.legend(
        [handles[name] for name in names], names, loc="upper left", ncols=len(names), fontsize=8,
        bbox_to_anchor=(0.0, 1 - 0.52 / height), handlelength=1.8, columnspacing=1.1,
        handletextpad=0.5,
    )  # fmt: skip
    return figure


def _panel(axes: "Axes", point: Point, layers: list[ComparedLayer]) -> None:
    steps = range(1, len(layers[0].error) + 1)
    for layer in layers:
        colour = shade(layer.depth - 1, len(layers))
        axes.plot(steps, layer.error, color=colour, linewidth=1.5, label=layer.name)
        theory = [predicted_error(point, layer, step) for step in steps]
        predicted = [value for value in theory if value is not None]
        if len(predicted) == len(steps):
            axes.plot(
                steps, predicted, color=INK, linewidth=1, linestyle=(0, (4, 2.5)),
                label=f"predicted of {layer.name}",
            )  # fmt: skip
    if point.toggles["reset"] == "subtract" and len(steps) > GUIDE:
        start = layers[-1].error[GUIDE - 1]
        later = steps[GUIDE - 1 :]
        axes.plot(
            later, [start * GUIDE / step for step in later], color=QUIET, linewidth=1,
            linestyle=":", label=f"1/t from step {GUIDE} of {layers[-1].name}",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(1, len(steps))
    ticks = [tick for tick in (1, 3, 10, 30, 100, 300, 1000) if tick <= len(steps)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("time, steps")
    axes.set_title(point.label, fontsize=9)
    grid(axes)
