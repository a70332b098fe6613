"""A sweep drawn over its axes: bars, curves or heat maps, with holes where points are missing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ann2snn.report.chart import BLUE, INK, ORANGE, Cell, Chart, grid, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = tuple[str, ...]
PANELS = 12


@dataclass(frozen=True)
class SweepResults:
    """What a sweep found: `axes` are the values, as written, of all that varies, in order;
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


def _draw(results: SweepResults) -> "Figure":
    names = list(results.axes)
    if len(names) < 2:
        figure = new_figure(f"sweep {results.name}", results.evidence)
        axes = figure.add_axes((0.09, 0.13, 0.88, 0.69))
        values = results.axes[names[0]] if names else ["the only point"]
        found = [results.found[(value,)] if names else results.found[()] for value in values]
        if names and are_numbers(values):
            _curve(axes, [float(value) for value in values], found)
        else:
            _bars(axes, values, found)
        axes.set_xlabel(names[0] if names else "")
        axes.set_ylabel(results.metric)
        return figure
    return _heat_maps(results)


def _curve(axes: "Axes", places: list[float], found: list[float | None]) -> None:
    pairs = sorted(zip(places, found, strict=True), key=lambda pair: pair[0])
    heights = [float("nan") if value is None else value for _, value in pairs]
    axes.plot([place for place, _ in pairs], heights, "o-", color=BLUE, linewidth=1.6)
    for place, value in pairs:
        if value is None:
            axes.axvline(place, color=ORANGE, linewidth=1, linestyle=":")
    grid(axes)


def _bars(axes: "Axes", labels: Sequence[str], found: list[float | None]) -> None:
    for place, value in enumerate(found):
        if value is None:
            axes.text(place, 0, "missing", ha="center", va="bottom", color=ORANGE, rotation=90)
            continue
        axes.bar(place, value, 0.6, color=BLUE)
        axes.text(place, value, f"{value:.2f}", ha="center", va="bottom", fontsize=9, color=INK)
    axes.set_xticks(range(len(labels)), list(labels))
    axes.tick_params(axis="x", length=0)
    axes.margins(y=0.12)
    grid(axes)


def _heat_maps(results: SweepResults) -> "Figure":
    import numpy as np

    names = list(results.axes)
    outer, (down, across) = names[:-2], names[-2:]
    corners = list(itertools.product(*(results.axes[name] for name in outer)))
    shown = corners[:PANELS]
    rows, columns = results.axes[down], results.axes[across]
    tall = 0.9 + 0.32 * len(rows)
    figure = new_figure(f"sweep {results.name}", results.evidence, 0.75 + tall * len(shown))
    height = figure.get_figheight()
    known = [value for value in results.found.values() if value is not None] or [0.0]
    for number, corner in enumerate(shown):
        bottom = 1 - (0.75 + tall * (number + 1) - 0.55) / height
        axes = figure.add_axes((0.16, bottom, 0.81, 0.32 * len(rows) / height))
        cells = [[results.found[*corner, row, column] for column in columns] for row in rows]
        heat = np.array([[np.nan if v is None else v for v in line] for line in cells], float)
        axes.imshow(heat, aspect="auto", cmap="viridis", vmin=min(known), vmax=max(known))
        middle = (min(known) + max(known)) / 2
        for (row, line), column in itertools.product(enumerate(cells), range(len(columns))):
            value = line[column]
            words = "missing" if value is None else f"{value:.2f}"
            dark = value is not None and value < middle
            colour = "white" if dark else INK
            axes.text(column, row, words, ha="center", va="center", fontsize=8.5, color=colour)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.set_ylabel(down.rpartition(".")[2])
        axes.set_xlabel(across)
        title = ", ".join(f"{name}={value}" for name, value in zip(outer, corner, strict=True))
        axes.set_title(title, fontsize=9)
    if len(corners) > len(shown):
        words = f"and {len(corners) - len(shown)} more panels: see the table"
        figure.text(0.16, 0.01, words, fontsize=8.5)
    return figure
