"""Errors (percent) on logarithmic axes: what fits on one, its ticks, and what captions say."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import Locator, NullLocator, StrMethodFormatter

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.numerics.intervals import wilson_interval
from ann2snn.plots.colours import WHITE
from ann2snn.report.results import Point

# Leading digits of ticks, the roundest first; fine ones only where there are few ticks.
ROUND = ((1.0,), (2.0, 5.0), (1.5, 3.0, 7.0), (1.2, 4.0, 8.0))
FINE = ((6.0, 9.0), *(tuple(n / parts for n in range(parts, 10 * parts)) for parts in (2, 10, 20)))
ENOUGH_TICKS = 4
TICK_INCHES = {"x": 0.42, "y": 0.24}
SQUEEZED = 0.25  # of an axis: less for most of what it shows is too little to read
BEYOND = " Arrows: beyond the axis."


@dataclass(frozen=True)
class Accuracy:
    """An accuracy (percent) of so many images, and its error as a logarithmic axis can show it: of
    no image, that of half a one."""

    value: float
    images: int

    @property
    def error(self) -> float:
        return max(100 - self.value, 50 / self.images)

    @property
    def interval(self) -> tuple[float, float]:
        """The accuracy's 95 % Wilson interval."""
        return wilson_interval(self.value / 100, self.images)

    @property
    def error_interval(self) -> tuple[float, float]:
        """The interval of the error as drawn, from low to high."""
        low, high = self.interval
        return Accuracy(high, self.images).error, Accuracy(low, self.images).error


def accuracies(values: Sequence[float], images: int) -> list[Accuracy]:
    return [Accuracy(value, images) for value in values]


def notes(shown: Iterable[float], points: Iterable[Point] = ()) -> str:
    """Sentences for a caption: how an error of 0 is drawn, if one of the accuracies has it, and of
    which random inputs of these points the intervals know nothing."""
    words = " An error of 0 is drawn as half an image." if max(shown, default=0) >= 100 else ""
    for name in dict.fromkeys(point.toggles["input"] for point in points):
        if not INPUTS[name].static:
            words += (
                " Intervals cover the choice of images, not the seed of the"
                f" {name.capitalize()} input."
            )
    return words


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


def inside_axis(last: Sequence[Accuracy], anns: Sequence[Accuracy]) -> list[bool]:
    """Which errors have room on an axis that begins with those up to `farthest_shown` and with all
    of the analog networks' (`anns`): the axis holds the intervals of all that it shows, so others
    may fit as well."""
    errors = [each.error for each in anns]
    room = max(*errors, farthest_shown([*errors, *(each.error for each in last)]))
    while True:
        inside = [each.error <= room for each in last]
        ends = [each.error_interval[1] for each, fits in zip(last, inside, strict=True) if fits]
        if max([room, *ends]) == room:
            return inside
        room = max(ends)


def draw_errors(
    axes: Axes, axis: Literal["x", "y"], last: Sequence[Accuracy], anns: Sequence[Accuracy],
    colours: Sequence[str],
) -> None:  # fmt: skip
    """Draws errors one beside the other, each with its interval and its number, along a logarithmic
    axis with room for those of the analog networks; beyond it, an arrow."""

    def turned(along: Any, across: Any) -> tuple[Any, Any]:
        return (along, across) if axis == "x" else (across, along)

    inside = inside_axis(last, anns)
    shown = [each for each, fits in zip(last, inside, strict=True) if fits]
    ends = [each.error for each in anns] + [end for each in shown for end in each.error_interval]
    error_axis(axes, axis, min(ends), max(ends))
    edge = (axes.get_xlim() if axis == "x" else axes.get_ylim())[1]
    for place, (each, fits, colour) in enumerate(zip(last, inside, colours, strict=True)):
        value, mark = (each.error, "o") if fits else (edge, ">" if axis == "x" else "^")
        if fits:
            axes.plot(*turned(each.error_interval, [place] * 2), color=colour, linewidth=2)
        axes.plot(*turned(value, place), mark, color=colour, markersize=6, clip_on=False)
        sides = ("center" if fits else "right", "bottom") if axis == "x" else ("left", "center")
        axes.annotate(
            f"{100 - each.value:.2f}", turned(value, place), turned(0, 6), color=colour,
            textcoords="offset points", fontsize=9, ha=sides[0], va=sides[1], bbox=WHITE,
        )  # fmt: skip


def error_axis(axes: Axes, axis: Literal["x", "y"], lowest: float, highest: float) -> None:
    """Makes an axis logarithmic, for errors (percent) from `lowest` to `highest` with some room
    around them, but never above 100."""
    room = max((highest / lowest) ** 0.06, 1.02)
    logarithmic(axes, axis, lowest / room, min(highest * room, 100.0))


def logarithmic(axes: Axes, axis: Literal["x", "y"], low: float, high: float) -> None:
    """Makes an axis logarithmic, from `low` to `high`, with round ticks."""
    axes.set(**{f"{axis}scale": "log", f"{axis}lim": (low, high)})
    drawn = axes.xaxis if axis == "x" else axes.yaxis
    drawn.set_major_locator(RoundTicks(axes, axis))
    drawn.set_major_formatter(StrMethodFormatter("{x:g}"))
    drawn.set_minor_locator(NullLocator())


class RoundTicks(Locator):
    """Round numbers as far apart as their words need on the axis as the layout has placed it."""

    def __init__(self, axes: Axes, axis: Literal["x", "y"]) -> None:
        self.axes, self.name = axes, axis

    def __call__(self) -> list[float]:
        low, high = self.axes.get_xlim() if self.name == "x" else self.axes.get_ylim()
        figure = self.axes.get_figure(root=True)
        assert figure is not None
        box = self.axes.bbox
        inches = (box.width if self.name == "x" else box.height) / figure.dpi
        return round_ticks(low, high, TICK_INCHES[self.name] / inches * math.log(high / low))


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
