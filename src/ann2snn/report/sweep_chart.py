"""A sweep drawn over its axes: bars, curves or heat maps, with holes where points are missing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, INK, ORANGE
from ann2snn.plots.drawing import grid, new_figure
from ann2snn.report.chart import Cell, Chart

Values = tuple[str, ...]
PANELS = 12


@dataclass(frozen=True)
class SweepResults:
    """The results of a sweep: `axes` are the values, as written, of all that varies, in order;
    `found` the headline `metric` by a point's values on those axes, None for a hole; `notes` what
    else the table shows of a point: its run key, or why it is missing."""

    name: str
    metric: str
    evidence: str
    axes: dict[str, list[str]]
    found: dict[Values, float | None]
    notes: dict[Values, str]

    def best(self) -> Values | None:
        """The first point with the largest value; None where none is done."""
        done = {values: value for values, value in self.found.items() if value is not None}
        return max(done, key=lambda values: done[values]) if done else None


def sweep_chart(results: SweepResults) -> Chart:
    """One axis of numbers gives a curve, one of words bars; two axes a heat map, more one heat map
    for each combination of the first ones."""
    rows: list[list[Cell]] = [
        [*values, value, values == results.best(), results.notes[values]]
        for values, value in results.found.items()
    ]
    return Chart(
        "sweep",
        results.name,
        f"{results.metric} of every point of the sweep.",
        [*results.axes, results.metric, "best", "run"],
        rows,
        lambda: _draw(results),
    )


def are_numbers(values: Sequence[str]) -> bool:
    """Whether every value of an axis is a number."""
    try:
        return all(float(value) == float(value) for value in values)
    except ValueError:
        return False


def _draw(results: SweepResults) -> Figure:
    names = list(results.axes)
    if len(names) > 1:
        return _heat_maps(results)
    figure = new_figure(f"sweep {results.name}", results.evidence)
    axes = figure.subplots()
    values = results.axes[names[0]] if names else ["the only point"]
    found = [results.found[(value,)] if names else results.found[()] for value in values]
    if names and are_numbers(values):
        _curve(axes, [float(value) for value in values], found)
    else:
        _bars(axes, values, found)
    axes.set(xlabel=names[0] if names else "", ylabel=results.metric)
    grid(axes)
    return figure


def _curve(axes: Axes, places: list[float], found: list[float | None]) -> None:
    pairs = sorted(zip(places, found, strict=True), key=lambda pair: pair[0])
    heights = [float("nan") if value is None else value for _, value in pairs]
    axes.plot([place for place, _ in pairs], heights, "o-", color=BLUE, linewidth=1.6)
    for place, value in pairs:
        if value is None:
            axes.axvline(place, color=ORANGE, linewidth=1, linestyle=":")


def _bars(axes: Axes, labels: Sequence[str], found: list[float | None]) -> None:
    for place, value in enumerate(found):
        if value is None:
            axes.text(place, 0, "missing", ha="center", va="bottom", color=ORANGE, rotation=90)
            continue
        axes.bar(place, value, 0.6, color=BLUE)
        axes.text(place, value, f"{value:.2f}", ha="center", va="bottom", fontsize=9, color=INK)
    axes.set_xticks(range(len(labels)), list(labels))
    axes.tick_params(axis="x", length=0)
    axes.margins(y=0.12)


def _heat_maps(results: SweepResults) -> Figure:
    *outer, down, across = results.axes
    corners = list(itertools.product(*(results.axes[name] for name in outer)))
    shown = corners[:PANELS]
    rows, columns = results.axes[down], results.axes[across]
    height = 0.75 + (0.9 + 0.32 * len(rows)) * len(shown)
    figure = new_figure(f"sweep {results.name}", results.evidence, height)
    known = [value for value in results.found.values() if value is not None] or [0.0]
    low, high = min(known), max(known)
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, corner in zip(panels, shown, strict=True):
        cells = [[results.found[*corner, row, column] for column in columns] for row in rows]
        heat = np.array([[np.nan if v is None else v for v in line] for line in cells], float)
        axes.imshow(heat, aspect="auto", cmap="viridis", vmin=low, vmax=high)
        for (row, line), column in itertools.product(enumerate(cells), range(len(columns))):
            value = line[column]
            words = "missing" if value is None else f"{value:.2f}"
            colour = "white" if value is not None and value < (low + high) / 2 else INK
            axes.text(column, row, words, ha="center", va="center", fontsize=8.5, color=colour)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.set(xlabel=across, ylabel=down.rpartition(".")[2])
        axes.set_title(", ".join(f"{n}={v}" for n, v in zip(outer, corner, strict=True)))
    if len(corners) > len(shown):
        figure.supxlabel(f"and {len(corners) - len(shown)} more panels: see the table", size=8.5)
    return figure
