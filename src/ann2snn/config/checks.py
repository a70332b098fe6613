"""Checks of overrides before Hydra composes them: every key, and every value of a sweep."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override

from ann2snn.config.overrides import choices_of, is_hydras, parsed, spelled_values
from ann2snn.config.schema import CHOSEN, all_keys, toggle_of, unknown_key
from ann2snn.settings import SettingError, nearest, rule_of

KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def check_overrides(
    overrides: Sequence[str], also: Path | None = None, intervals: bool = False
) -> None:
    """Holds each override, and each value of a sweep, to the rule of the toggle that it names.

    `also` is a folder of named choices beside `conf`. Of `intervals`, which a search may go over,
    the ends are held to it.

    Raises:
        SettingError: names key, value and what is allowed, and for a misspelt key the nearest one.
    """
    for line in overrides:
        override = parsed(line)
        key = str(override.key_or_group)
        if key == "hydra.sweeper.params":  # a mapping ends in a traceback of OmegaConf
            raise SettingError(f"{line!r}: write each of them as an override of its own")
        if is_hydras(override):
            continue
        if override.is_add() or override.is_force_add() or override.is_delete():
            word = "removed" if override.is_delete() else "added"
            known = f"{key} is set by {key}=value" if key in all_keys() else unknown_key(key)
            raise SettingError(f"{line!r}: toggles cannot be {word}; {known}")
        if override.package is not None:
            raise SettingError(f"{line!r}: toggles have no packages; write {key}=value")
        check = _check_choice if key in CHOSEN else _check_value
        for value in _values(override, also, intervals):
            check(key, value, also)


def _check_choice(group: str, value: Any, also: Path | None) -> None:
    choices = choices_of(group, also)
    if value not in choices:
        raise SettingError(
            f"{group} must be one of {', '.join(choices)} (conf/{group}), got {value!r}"
            + nearest(str(value), choices)
        )


def _check_value(key: str, value: Any, also: Path | None) -> None:  # noqa: ARG001
    toggle = toggle_of(key)
    if isinstance(value, str) and value.startswith("${"):
        return  # an interpolation: the composed value is checked
    rule, kind = rule_of(toggle), type(toggle.default)
    number = float(value) if kind is float and type(value) is int else value
    if type(number) is not kind:
        bounded = rule.choices or rule.low is not None or rule.high is not None
        wanted = f"{KINDS[kind]}, {rule.allowed()}" if bounded else KINDS[kind]
        raise SettingError(f"{key} must be {wanted}, got {value!r}")
    if not rule.admits(number):
        close = nearest(str(value), rule.choices)
        raise SettingError(f"{key} must be {rule.allowed(number)}, got {value!r}{close}")


def _values(override: Override, also: Path | None, intervals: bool) -> Iterator[Any]:
    if not override.is_sweep_override():
        yield override.value()
        return
    if intervals and override.is_interval_sweep():
        bounds: Any = override.value()  # Hydra reads both as floats
        for bound in (bounds.start, bounds.end):
            yield int(bound) if float(bound).is_integer() else bound
        return
    for spelled in spelled_values(override, also):
        yield parsed(f"{override.key_or_group}={spelled}").value()


@contextmanager
def prefixed(words: str) -> Iterator[None]:
    """Puts words before what is said of a wrong setting."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{words}{error}") from error


def named(point: str) -> AbstractContextManager[None]:
    """Says of a wrong setting which point has it."""
    return prefixed(f"point {point}: " if point else "")
