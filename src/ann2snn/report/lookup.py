"""Numbers as the findings look them up: by study and point, by the names of `results.json`."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import Any

from jinja2 import UndefinedError

from ann2snn.numerics.steps_to_level import first_step_at
from ann2snn.records import Json
from ann2snn.report.comparing import compared_layers
from ann2snn.report.markdown import hundredths, interval, step_or_never, three_digits
from ann2snn.report.published import (
    CURVE_IMAGES,
    papers_bar,
    papers_curve,
    published,
)
from ann2snn.report.results import Point, Results, Study, chosen_point
from ann2snn.report.rows import LAST, LEVEL, START, result_row
from ann2snn.report.scale_factors import scale_factors


@dataclass(frozen=True)
class Lookup:
    """Numbers for the findings of the study `here`.

    What is not there raises UndefinedError, which names it.
    """

    results: Results
    here: str
    rows: dict[tuple[str, str], Json] = field(default_factory=dict)

    def names(self) -> Json:
        """All that a template can call."""
        return {
            "p": self.p, "points": self.points, "seeds": self.seeds, "bar": self.bar,
            "authors": self.authors, "layers": self.layers, "factors": self.factors,
            "chosen": lambda: chosen_point(self._study("")).name, "takes": self.takes,
            "same": self.same, "label": lambda name: self._point(name, "")[1].label,
            "published": published, "first": first_step, "late_rise": late_rise, "mean": fmean,
            "rising": rising, "below": below, "fewer": fewer, "last": LAST, "start": START,
            "level": LEVEL, "curve_images": CURVE_IMAGES,
        }  # fmt: skip

    def p(self, name: str, study: str = "") -> Json:
        """The row of a point, as `results.json` has it, with losses (ANN - SNN), curve and
        settings; a step that never comes is infinite."""
        found, point = self._point(name, study)
        if (found.name, name) not in self.rows:
            row = result_row(found, point)
            late = row["snn_accuracy_last50"]
            self.rows[found.name, name] = {
                **row,
                "steps_to_99": _or_never(row["steps_to_99"]),
                "at_99": row["at_99"] or {"energy_ratio": math.inf},
                "loss": row["ann_accuracy"] - row["snn_accuracy"],
                "late_loss": math.nan if late is None else row["ann_accuracy"] - late,
                "curve": point.simulation.curves["accuracy"],
                "settings": point.simulation.settings,
            }
        return self.rows[found.name, name]

    def points(self) -> list[Json]:
        """The rows of this study."""
        return [self.p(point.name) for point in self._study("").points]

    def seeds(self, variant: str, number: str) -> list[float]:
        """A number of all trainings of a variant, whose points are named by variant and seed."""
        names = [point.name for point in self._study("").points]
        found = [self.p(name)[number] for name in names if name.rpartition("-")[0] == variant]
        return found or _missing(f"points {variant}-<seed> of {self.here}")

    def bar(self, name: str) -> float:
        """The paper's bar for a point: of its data set and its network."""
        study, point = self._point(name, "")
        bar = papers_bar(point.simulation.settings, study.dataset)
        return bar.value if bar else _missing(f"a published bar for {name}")

    def authors(self, name: str, study: str = "") -> list[float]:
        """The authors' curve for a point."""
        found, point = self._point(name, study)
        curve = papers_curve(point.simulation.settings, found.dataset)
        return curve or _missing(f"a published curve for {name}")

    def layers(self, name: str) -> Json:
        """Errors of the rates and their correlation with the activations, per layer, at the end."""
        compared = compared_layers(self._point(name, "")[1])
        return {
            "error": [layer.error[-1] for layer in compared],
            "correlation": [layer.correlation[-1] for layer in compared],
        } if compared else _missing(f"a comparison of rates for {name}")  # fmt: skip

    def factors(self, slow: str, fast: str) -> dict[str, tuple[float, float]]:
        """By layer, how many times its scale falls and its spikes rise between two points."""
        found = scale_factors(self._point(slow, "")[1], self._point(fast, "")[1])
        return found or _missing(f"outliers of {slow}")

    def takes(self, study: str) -> bool:
        """Whether the last point of a study has the toggles that this selection chooses."""
        return self._study(study).points[-1].toggles == chosen_point(self._study("")).toggles

    def same(self, study: str, name: str) -> bool:
        """Whether a point of a study has the toggles that this selection chooses."""
        return self._point(name, study)[1].toggles == chosen_point(self._study("")).toggles

    def _study(self, name: str) -> Study:
        name = name or self.here
        found = [study for study in self.results.studies if study.name == name]
        return found[0] if found else _missing(f"study {name}")

    def _point(self, name: str, study: str) -> tuple[Study, Point]:
        found = self._study(study)
        points = [point for point in found.points if point.name == name]
        return (found, points[0]) if points else _missing(f"point {name} of {found.name}")


def first_step(curve: Sequence[float], level: float) -> float:
    """The first step at which a curve has a level, infinite where it never has."""
    return _or_never(first_step_at(curve, level))


def late_rise(curve: Sequence[float]) -> float:
    """How much a curve rises over its last steps; not a number where it has no more."""
    return curve[-1] - curve[-1 - LAST] if len(curve) > LAST else math.nan


def rising(*values: float) -> bool:
    """Whether every value is above the one before."""
    return all(before < after for before, after in pairwise(values))


def below(lower: Sequence[float], upper: Sequence[float]) -> bool:
    """Whether each value of the one is below its counterpart."""
    return all(low < high for low, high in zip(lower, upper, strict=True))


def fewer(one: Mapping[str, float], other: Mapping[str, float]) -> int:
    """In how many layers the one has the smaller number."""
    return sum(one[layer] < other[layer] for layer in one)


def _missing(what: str) -> Any:
    raise UndefinedError(f"there is no {what}")


def _or_never(step: int | None) -> float:
    return math.inf if step is None else step


FILTERS: dict[str, Callable[..., Any]] = {
    "percent": hundredths,
    "interval": lambda bounds: interval(*bounds),
    "operations": lambda value: "" if value is None else three_digits(value),
    "truth": lambda holds: "yes" if holds else "no",
    "cell": lambda words: words.replace("|", "\\|"),
    "signed": "{:+.2f}".format,
    "times": "{:.1f}".format,
    "r": "{:.3f}".format,
    "step": lambda step: step_or_never(None if step in (None, math.inf) else int(step)),
    "first_step": first_step,
}
