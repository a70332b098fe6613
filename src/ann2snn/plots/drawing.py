"""Figures: an empty one with its heading, and the marks and words that many share."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ann2snn.plots.colours import FAINT, INK, QUIET

WIDTH = 8.4  # inches, as all sizes of figures
HEADING = 0.56
EDGE = 0.1
SMALL = 8.5  # points
DASHED = (0, (5, 3))

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "savefig.dpi": 150,
    "svg.hashsalt": "ann2snn",
}


@contextmanager
def drawing_style() -> Iterator[None]:
    """The report's look, whatever the user's own matplotlib settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


class Drawing(Figure):
    """A figure that a notebook shows by itself, whatever it has set up for matplotlib."""

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        with drawing_style():
            self.savefig(stream, format="png")
        return stream.getvalue()


def new_figure(title: str, subtitle: str, height: float = 4.2) -> Figure:
    """An empty figure with its heading: what is shown, and on what evidence.

    Its constrained layout finds the places of all that is put under the heading.
    """
    inch = 1 / height
    layout = ConstrainedLayoutEngine(
        rect=(0, 0, 1, 1 - HEADING * inch), w_pad=EDGE, h_pad=EDGE, wspace=0.03, hspace=0.03
    )
    figure = Drawing(figsize=(WIDTH, height), layout=layout)
    figure.text(0.012, 1 - 0.10 * inch, title, va="top", size=11.5, weight="bold", color=INK)
    figure.text(0.012, 1 - 0.36 * inch, subtitle, va="top", size=SMALL, color=QUIET)
    return figure


def legend_under_heading(figure: Figure, **options: Any) -> None:
    """One legend of all axes in a row under the heading, an entry for each label, in the order in
    which they were drawn first."""
    entries: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine)
    top = layout.get()["rect"][3]
    legend = figure.legend(
        list(entries.values()), list(entries), ncols=len(entries), loc="upper left",
        bbox_to_anchor=(0.005, top), borderaxespad=0, **options,
    )  # fmt: skip
    below = legend.get_window_extent().height / figure.bbox.height
    layout.set(rect=(0, 0, 1, top - below))


def stacked_labels(axes: Axes, labels: Sequence[tuple[float, str, str]], reach: float = 14) -> None:
    """Writes (height, words, colour) beside the right edge of `axes`, none over another.

    Heights are in data coordinates; a thin line of `reach` points joins each label with its place:
    lines from one place to many labels need a longer reach. To be called when all else is drawn,
    since the layout says how far apart labels stand.
    """
    notes = [
        axes.annotate(
            words, (1, height), (reach + 2, 0), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", color=colour, fontsize=SMALL, va="center",
            annotation_clip=False, arrowprops={
                "arrowstyle": "-", "color": colour, "linewidth": 0.7, "relpos": (0, 0.5),
                "shrinkA": 2, "shrinkB": 0,
            },
        )
        for height, words, colour in sorted(labels)
    ]  # fmt: skip
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    tall = axes.bbox.height * 72 / figure.dpi
    to_axes = axes.get_yaxis_transform() + axes.transAxes.inverted()
    ends = [float(to_axes.transform(note.xy)[1]) for note in notes]
    for note, wanted, shown in zip(notes, ends, apart(ends, 1.45 * SMALL / tall), strict=True):
        note.set_position((reach + 2, (shown - wanted) * tall))


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


def dashed_line(
    axes: Axes, value: float, axis: Literal["x", "y"] = "y", colour: str = INK, words: str = ""
) -> None:
    """A dashed line behind all else; `words` stand above an upright one."""
    line = axes.axhline if axis == "y" else axes.axvline
    line(value, color=colour, linewidth=1, linestyle=DASHED, zorder=0)
    if words:
        axes.text(
            value, 1.01, words, ha="center", va="bottom", fontsize=SMALL,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip


def grid(axes: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Faint lines behind the data, for reading values."""
    axes.set_axisbelow(True)
    axes.grid(axis=axis, color=FAINT, linewidth=0.5, alpha=0.7)
