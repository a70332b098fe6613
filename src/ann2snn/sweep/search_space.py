"""What a search goes over: the values of each override, drawn by Optuna and spelled by Hydra."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import IntervalSweep, Override

from ann2snn.config.overrides import parsed, spelled_values
from ann2snn.config.schema import CHOSEN, toggle_of
from ann2snn.settings import SettingError, rule_of
from ann2snn.sweep.points import shown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

SEARCHED = ("ann", "conversion", "simulation", "experiment")


@dataclass(frozen=True)
class Axis:
    """The values of one key: those of `spelled`, in order, or all between `low` and `high`.

    `ordered` values are neighbours, as those of a range; `log` draws by the logarithm.
    """

    key: str
    spelled: tuple[str, ...] = ()
    ordered: bool = False
    low: float = 0
    high: float = 0
    log: bool = False

    @property
    def distribution(self) -> "BaseDistribution":
        """What Optuna draws from; of ordered values it draws the place."""
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        if self.ordered:
            return IntDistribution(0, len(self.spelled) - 1)
        if self.spelled:
            return CategoricalDistribution(self.spelled)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def spelling(self, drawn: Any) -> str:
        """A drawn value as an override has it."""
        return self.spelled[drawn] if self.ordered else str(drawn)

    @property
    def probes(self) -> tuple[str, ...]:
        """Values that stand for all: each one of a list, else the first and the last."""
        ends = (self.spelled[0], self.spelled[-1]) if self.spelled else (self.low, self.high)
        return self.spelled if self.spelled and not self.ordered else tuple(map(str, ends))


@dataclass(frozen=True)
class Space:
    """The axes of a search, by key, and the overrides that all its trials share."""

    axes: tuple[Axis, ...]
    fixed: tuple[str, ...]

    @property
    def distributions(self) -> "dict[str, BaseDistribution]":
        """What Optuna draws from, by key."""
        return {axis.key: axis.distribution for axis in self.axes}

    def point(self, drawn: Mapping[str, Any]) -> list[str]:
        """The overrides of a trial of these drawn values."""
        return [*self.fixed, *(f"{a.key}={a.spelling(drawn[a.key])}" for a in self.axes)]

    def drawn(self, point: list[str]) -> dict[str, str]:
        """The values of a trial, as people write them, by key."""
        own = dict(line.split("=", 1) for line in point)
        return {axis.key: shown(own[axis.key]) for axis in self.axes}

    def probes(self) -> Iterator[list[str]]:
        """Points that have each value of every axis once, beside the first ones of the others."""
        first = {axis.key: axis.probes[0] for axis in self.axes}
        for axis in self.axes:
            for value in axis.probes:
                yield [*self.fixed, *(f"{k}={v}" for k, v in {**first, axis.key: value}.items())]


def space_of(overrides: Iterable[str]) -> Space:
    """The space that overrides span, whatever their order; the last one of a key counts.

    Raises:
        SettingError: nothing varies, or what varies may not be searched.
    """
    found = {override.get_key_element(): override for override in map(parsed, overrides)}
    axes, fixed = [], []
    for key, override in sorted(found.items()):
        axis = _interval(key, override) if override.is_interval_sweep() else _listed(key, override)
        if isinstance(axis, str):
            fixed.append(axis)
            continue
        if key.partition(".")[0] not in SEARCHED:
            raise SettingError(
                f"{key} cannot be searched: a search goes over toggles of {', '.join(SEARCHED)}"
            )
        if key not in CHOSEN and not rule_of(toggle_of(key)).shapes_result:
            raise SettingError(f"{key} cannot be searched: it changes no result")
        axes.append(axis)
    if not axes:
        raise SettingError(
            "a search needs a toggle with several values, such as"
            " 'conversion.percentile=interval(98,100)'"
        )
    return Space(tuple(axes), tuple(fixed))


def _listed(key: str, override: Override) -> Axis | str:
    """The axis of values that are listed, or the override of a single one."""
    if override.is_sweep_override():
        value: Any = override.value()
        if getattr(value, "shuffle", False):
            raise SettingError(
                f"{override.input_line!r}: a search draws by its own seed; leave shuffle"
            )
        if getattr(value, "tags", None):
            raise SettingError(f"{override.input_line!r}: only an interval has a tag")
    values = tuple(dict.fromkeys(spelled_values(override)))
    if len(values) == 1:
        return f"{key}={values[0]}"
    return Axis(key, values, override.is_range_sweep())


def _interval(key: str, override: Override) -> Axis:
    line, value = repr(override.input_line), override.value()
    assert isinstance(value, IntervalSweep)
    if value.tags - {"log"}:
        raise SettingError(f"{line}: the only tag of an interval is log")
    assert value.start is not None
    assert value.end is not None
    low, high = value.start, value.end
    if isinstance(toggle_of(key).default, int):
        low, high = int(low), int(high)
    log = "log" in value.tags
    if not low < high:
        raise SettingError(f"{line}: an interval must end above its start")
    if log and low <= 0:
        raise SettingError(f"{line}: by the logarithm an interval must start above 0")
    return Axis(key, low=low, high=high, log=log)
