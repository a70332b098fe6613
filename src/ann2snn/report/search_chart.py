"""A search drawn: the first metric of every trial over each toggle that was searched."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, FAINT, INK, ORANGE
from ann2snn.plots.drawing import grid, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.sweep_chart import are_numbers

ACROSS = 3  # panels in a row


@dataclass(frozen=True)
class SearchResults:
    """The trials of a search in their order: `drawn` are the values, as written, of each key that
    was searched, `logarithmic` the keys that were drawn so; `values` those of each metric, None
    where a trial has none; `best` the numbers, from 0, of the trials that no other one beats;
    `notes` run keys, or why there is none."""

    name: str
    drawn: dict[str, list[str]]
    logarithmic: frozenset[str]
    values: dict[str, list[float | None]]
    best: list[int]
    notes: list[str | None]


def search_chart(results: SearchResults) -> Chart:
    """A panel for each searched toggle, and with two metrics one for the second over the first."""
    columns: list[Sequence[Cell]] = [*results.drawn.values(), *results.values.values()]
    rows: list[list[Cell]] = [
        [place + 1, *(column[place] for column in columns), place in results.best, note]
        for place, note in enumerate(results.notes)
    ]
    metric = next(iter(results.values))
    return Chart(
        "sweep", results.name, f"{metric} of every trial of the search; the best ones in orange.",
        ["trial", *results.drawn, *results.values, "best", "run"], rows, lambda: _draw(results),
    )  # fmt: skip


def _draw(results: SearchResults) -> Figure:
    (metric, found), *others = results.values.items()
    panels = {**results.drawn, **{name: _words(values) for name, values in others}}
    rows = -(-len(panels) // ACROSS)
    figure = new_figure(f"search {results.name}", f"{len(found)} trials", 0.8 + 2.7 * rows)
    wide = min(ACROSS, len(panels))
    grids = figure.subplots(rows, wide, squeeze=False, sharey=True).ravel()
    for axes, (name, words) in zip(grids, panels.items(), strict=False):
        _points(axes, words, found, results.best)
        axes.set_xlabel(name)
        if name in results.logarithmic:
            axes.set_xscale("log")
    for axes in grids[len(panels) :]:
        axes.set_visible(False)
    for axes in grids[::wide]:
        axes.set_ylabel(metric)
    return figure


def _words(values: Sequence[float | None]) -> list[str]:
    return ["nan" if value is None else repr(value) for value in values]


def _points(
    axes: Axes, words: Sequence[str], found: Sequence[float | None], best: Sequence[int]
) -> None:
    """Dots over a line of numbers, or over one place for each word."""
    names = list(dict.fromkeys(words))
    numbers = are_numbers([name for name in names if name != "nan"])
    for place, (word, value) in enumerate(zip(words, found, strict=True)):
        if value is None:
            continue
        chosen = place in best
        axes.plot(
            float(word) if numbers else names.index(word), value, "o",
            color=ORANGE if chosen else BLUE, markeredgecolor=INK if chosen else FAINT,
            markersize=6 if chosen else 4, zorder=3 if chosen else 2,
        )  # fmt: skip
    if not numbers:
        axes.set_xticks(range(len(names)), names, rotation=20, fontsize=8.5)
        axes.set_xlim(-0.5, len(names) - 0.5)
    grid(axes)
