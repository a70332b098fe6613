"""Charts: a figure with its caption and its table, in files that are the same on every run."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from ann2snn.plots.drawing import drawing_style

Cell = str | float | int | bool | None
# Numbers of an SVG beyond 3 decimals, which differ between processors; not the size of a glyph.
LONG_NUMBERS = re.compile(r"scale\([^)]*\)|-?\d+\.\d{4,}")


@dataclass(frozen=True)
class Chart:
    """A figure of the report: `name` of its files, the study it belongs to, the table it shows.

    `draw` makes the figure, inside the report's style.
    """

    name: str
    study: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    draw: Callable[[], Figure]


def save_chart(chart: Chart, folder: Path) -> None:
    """Writes NAME.csv, NAME.png and NAME.svg, without dates, versions or random ids."""
    (folder / f"{chart.name}.csv").write_text(
        csv_text(chart.columns, chart.rows), encoding="utf-8", newline=""
    )
    drawing = io.StringIO()
    with drawing_style():
        figure = chart.draw()
        figure.savefig(folder / f"{chart.name}.png", metadata={"Software": None})
        figure.savefig(drawing, format="svg", metadata={"Date": None, "Creator": None})
    (folder / f"{chart.name}.svg").write_text(
        rounded(drawing.getvalue()), encoding="utf-8", newline="\n"
    )


def rounded(drawing: str) -> str:
    """An SVG with coordinates of at most 3 decimals, equal on processors that differ in the 6th."""

    def short(found: re.Match[str]) -> str:
        if found.group().startswith("scale"):
            return found.group()
        return str(round(float(found.group()), 3) + 0.0).removesuffix(".0")

    return LONG_NUMBERS.sub(short, drawing)


def csv_text(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table as CSV: six significant digits, nothing for what is not known."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_csv_cell(cell) for cell in row] for row in rows])
    return stream.getvalue()


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
