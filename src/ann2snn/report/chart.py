"""What every figure shares: its data, its look, and files that are the same on every run."""

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Cell = str | float | int | bool | None

# Okabe and Ito's colours, told apart by every kind of colour vision.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, SKY = "#D55E00", "#CC79A7", "#56B4E9"
INK, QUIET, FAINT = "#222222", "#6b6b6b", "#c9c9c9"
DISTINCT = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
WIDTH = 8.4
DOTS_PER_INCH = 150
DASHED = (0, (5, 3))
WHITE: Any = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # behind words on a line

# Leading digits of ticks, the roundest first; fine ones only where there are few ticks.
ROUND = ((1.0,), (2.0, 5.0), (1.5, 3.0, 7.0), (1.2, 4.0, 8.0))
FINE = ((6.0, 9.0), *(tuple(n / parts for n in range(parts, 10 * parts)) for parts in (2, 10, 20)))
ENOUGH_TICKS = 4
TICK_INCHES = {"x": 0.42, "y": 0.24}
SQUEEZED = 0.25  # of an axis: less for most of what it shows is too little to read
POISSON_INTERVALS = " Intervals cover the choice of images, not the seed of the Poisson input."
NO_ERROR = " An error of 0 is drawn as half an image."
BEYOND = " Arrows: beyond the axis."

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "savefig.dpi": DOTS_PER_INCH,
    "svg.hashsalt": "ann2snn",
}


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
    draw: Callable[[], "Figure"]


def new_figure(title: str, subtitle: str, height: float = 4.2) -> "Figure":
    """An empty figure with its heading: what is shown, and on what evidence."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height))
    inch = 1 / height
    figure.text(0.012, 1 - 0.10 * inch, title, va="top", size=11.5, weight="bold", color=INK)
    figure.text(0.012, 1 - 0.36 * inch, subtitle, va="top", size=8.5, color=QUIET)
    return figure


def stacked_labels(
    axes: "Axes",
    labels: Sequence[tuple[float, str, str]],
    size: float = 8.5,
    reach: float = 0.025,
) -> None:
    """Writes (height, words, colour) beside the right edge of `axes`, none over another.

    Heights are in data coordinates; a thin line, `reach` of the axes' width long, joins a label
    that had to move with its place: lines from one place to many labels need a longer reach.
    """
    transform = axes.transData + axes.transAxes.inverted()
    right = axes.get_xlim()[1]
    wanted = sorted(
        (float(transform.transform((right, height))[1]), words, colour)
        for height, words, colour in labels
    )
    box = axes.get_position()
    figure = axes.get_figure(root=True)
    assert figure is not None
    gap = 1.45 * size / 72 / (figure.get_figheight() * box.height)
    placed = apart([place for place, _, _ in wanted], gap)
    for (place, words, colour), shown in zip(wanted, placed, strict=True):
        axes.plot(
            [1.0, 1.0 + reach], [place, shown], transform=axes.transAxes, color=colour,
            linewidth=0.7, clip_on=False,
        )  # fmt: skip
        axes.text(
            1.007 + reach, shown, words, transform=axes.transAxes, color=colour, size=size,
            va="center",
        )  # fmt: skip


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Rising `places` in [0, 1], moved as little as needed to stand `gap` apart."""
    shown: list[float] = []
    for place in places:
        shown.append(max(place, shown[-1] + gap) if shown else place)
    ceiling = max(1.0, shown[-1] if len(shown) * gap > 1 else 1.0) if shown else 1.0
    for index in reversed(range(len(shown))):
        shown[index] = min(shown[index], ceiling)
        ceiling = shown[index] - gap
    return shown


def shown_error(accuracy: float, images: int) -> float:
    """The error (percent) as a logarithmic axis can show it: of no image, that of half a one."""
    return max(100 - accuracy, 50 / images)


def farthest_shown(errors: Sequence[float]) -> float:
    """The largest error (percent) for which a logarithmic axis should have room.

    That is the largest of all, unless the worst few stretch the axis by more than a factor of two
    and squeeze the others (half of all or more, and at least two) into less than a quarter of it.
    """
    rising = sorted(errors)
    whole = math.log(rising[-1] / rising[0])
    for place in reversed(range(max(1, (len(rising) - 1) // 2), len(rising) - 1)):
        if whole > math.log(2) and math.log(rising[place] / rising[0]) < SQUEEZED * whole:
            return rising[place]
    return rising[-1]


def inside_axis(
    errors: Sequence[float], ends: Sequence[float], anns: Sequence[float]
) -> list[bool]:
    """Which errors have room on an axis that begins with those up to `farthest_shown` and with all
    of the analog networks' (`anns`): the axis holds the intervals of all that it shows, whose upper
    ends are `ends`, so others may fit as well."""
    room = max(*anns, farthest_shown([*anns, *errors]))
    while True:
        inside = [error <= room for error in errors]
        reach = max([room, *(end for end, shown in zip(ends, inside, strict=True) if shown)])
        if reach == room:
            return inside
        room = reach


def error_axis(axes: "Axes", axis: Literal["x", "y"], lowest: float, highest: float) -> None:
    """Makes an axis logarithmic, for errors (percent) from `lowest` to `highest` with some room
    around them, but never above 100."""
    room = max((highest / lowest) ** 0.06, 1.02)
    low, high = lowest / room, min(highest * room, 100.0)
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    inches = box.width * WIDTH if axis == "x" else box.height * figure.get_figheight()
    ticks = round_ticks(low, high, TICK_INCHES[axis] / inches * math.log(high / low))
    words = [f"{tick:g}" for tick in ticks]
    if axis == "x":
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.set_xticks(ticks, words)
        axes.set_xticks([], minor=True)
    else:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, words)
        axes.set_yticks([], minor=True)


def round_ticks(low: float, high: float, gap: float) -> list[float]:
    """Numbers from `low` to `high` whose natural logarithms stand `gap` or more apart, the roundest
    chosen first."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    chosen: list[float] = []
    for digits in (*ROUND, *FINE):
        if digits in FINE and len(chosen) >= ENOUGH_TICKS:
            break
        for tick in (digit * 10.0**power for power in powers for digit in digits):
            apart_from_all = all(abs(math.log(tick / other)) >= gap for other in chosen)
            if low <= tick <= high and apart_from_all:
                chosen.append(tick)
    return sorted(chosen)


def shade(place: int, count: int) -> str:
    """A colour from bright (the first of `count`) to dark (the last)."""
    import matplotlib
    from matplotlib.colors import to_hex

    return to_hex(matplotlib.colormaps["viridis"](0.84 * (1 - place / max(count - 1, 1))))


def grid(axes: "Axes", axis: Literal["x", "y"] = "y") -> None:
    """Faint lines behind the data, for reading values."""
    axes.set_axisbelow(True)
    axes.grid(axis=axis, color=FAINT, linewidth=0.5, alpha=0.7)


@contextmanager
def drawing_style() -> Iterator[None]:
    """The report's look, whatever the user's own matplotlib settings are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def save_chart(chart: Chart, folder: Path) -> None:
    """Writes NAME.csv, NAME.png and NAME.svg, without dates, versions or random ids."""
    (folder / f"{chart.name}.csv").write_text(
        csv_text(chart.columns, chart.rows), encoding="utf-8", newline=""
    )
    with drawing_style():
        figure = chart.draw()
        figure.savefig(folder / f"{chart.name}.png", metadata={"Software": None})
        figure.savefig(folder / f"{chart.name}.svg", metadata={"Date": None, "Creator": None})


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
