"""What a search goes over: the values of each override, drawn by Optuna and spelled by Hydra."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import IntervalSweep, Override

from ann2snn.config.overrides import parsed, spelled_values
from ann2snn.config.schema import Settings, toggle_of
from ann2snn.settings import SettingError
from ann2snn.sweep.points import shown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

SEARCHED = ("ann", "conversion", "simulation", "experiment")
MEASURING = ("simulation.part", "simulation.images", "simulation.compare")


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


@dataclass(frozen=True)
class Space:
    """The axes of a search, and the overrides that all its trials share."""

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

    def require_choice(self, settings: Settings) -> None:
        """Holds a trial to images that may choose.

        Raises:
            SettingError: it is measured on test images, or on those that its network was trained
                with, where the search goes over networks.
        """
        if settings.simulation.part != "validation":
            raise SettingError(
                "a search chooses, and test images choose nothing: add simulation.part=validation"
            )
        trains = any(axis.key.partition(".")[0] == "ann" for axis in self.axes)
        if trains and settings.ann.final and not settings.ann.weights:
            raise SettingError(
                "a search over toggles of ann needs networks that have not seen the validation"
                " images: add ann.final=false"
            )


def space_of(overrides: Iterable[str]) -> Space:
    """The space that overrides span; the last one of a key counts.

    Raises:
        SettingError: nothing varies, or what varies may not be searched.
    """
    found = {override.get_key_element(): override for override in map(parsed, overrides)}
    axes, fixed = [], []
    for key, override in found.items():
        if override.is_interval_sweep():
            axes.append(_interval(key, override))
            continue
        if override.is_sweep_override() and getattr(override.value(), "shuffle", False):
            raise SettingError(
                f"{override.input_line!r}: a search draws by its own seed; leave shuffle"
            )
        values = spelled_values(override)
        if len(values) == 1:
            fixed.append(f"{key}={values[0]}")
        else:
            axes.append(Axis(key, tuple(dict.fromkeys(values)), override.is_range_sweep()))
    for axis in axes:
        if axis.key in MEASURING or axis.key.partition(".")[0] not in SEARCHED:
            raise SettingError(
                f"{axis.key} cannot be searched: its values are measured on other images, or in"
                f" another way; a search goes over toggles of {', '.join(SEARCHED)}"
            )
    if not axes:
        raise SettingError(
            "a search needs a toggle with several values, such as"
            " 'conversion.percentile=interval(98,100)'"
        )
    return Space(tuple(axes), tuple(fixed))


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
