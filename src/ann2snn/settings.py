"""Toggles: a field of a frozen dataclass that knows its default, its range and its meaning.

Hydra's schema, the keyword arguments of the library and the table of toggles in the documentation
all read these fields; nothing here imports more than the standard library, so a wrong override is
refused before anything heavy loads.
"""

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


LARGEST = 10**9
"""Of every number that has no bound of its own: what is larger is a slip, not a wish, and would end
in an overflow somewhere."""


class SettingError(ValueError):
    """A toggle has a value that its rule does not allow."""


@dataclass(frozen=True)
class Rule:
    """What a toggle may be.

    `shapes_result` is false for toggles that change how long a step takes, or how it is shown, but
    no bit of what it gives; they stay out of the run key. So does a toggle at its `neutral` value,
    which is its default unless the default has changed since results were keyed: then it stays the
    old default, and keys keep their meaning. `numbered` are the choices that a number may follow,
    as in cuda:1.
    """

    meaning: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    low_excluded: bool = False
    high_excluded: bool = False
    shapes_result: bool = True
    neutral: Any = None
    numbered: tuple[str, ...] = ()

    def allowed(self, value: Any = None) -> str:
        """The rule in words: `in (0, 100]`, `one of subtract, zero`. The bound that all numbers
        have is named where `value` breaks it."""
        if self.choices:
            return "one of " + ", ".join([*self.choices, *(f"{n}:N" for n in self.numbered)])
        if self.high == LARGEST and isinstance(value, int | float) and value > LARGEST:
            return f"at most {LARGEST}"
        if self.high is None or self.high == LARGEST:
            if self.low is None:
                return "any value of its type"
            return f"{'greater than' if self.low_excluded else 'at least'} {_shown(self.low)}"
        left = "(" if self.low_excluded or self.low is None else "["
        right = ")" if self.high_excluded else "]"
        low = "-inf" if self.low is None else _shown(self.low)
        return f"in {left}{low}, {_shown(self.high)}{right}"

    def admits(self, value: Any) -> bool:
        if self.choices:
            name, _, place = str(value).partition(":")
            return value in self.choices or (name in self.numbered and place.isdecimal())
        if self.low is None and self.high is None:
            return True
        if value != value:
            return False
        above = (
            self.low is None or value > self.low or (value == self.low and not self.low_excluded)
        )
        below = (
            self.high is None
            or value < self.high
            or (value == self.high and not self.high_excluded)
        )
        return bool(above and below)


def _shown(bound: float) -> str:
    """A bound with all its digits where it is a whole number."""
    return f"{bound:.0f}" if bound == int(bound) else f"{bound:g}"


def choice(default: str, choices: tuple[str, ...], meaning: str, **rule: Any) -> Any:
    """A field that is one of `choices`."""
    return field(default=default, metadata={"rule": Rule(meaning, choices=choices, **rule)})


def number(default: float, meaning: str, **rule: Any) -> Any:
    """A numeric field; `low`, `high`, `low_excluded`, `high_excluded` give its range. All numbers
    have an upper bound, so that infinity is none of them."""
    return field(default=default, metadata={"rule": Rule(meaning, **{"high": LARGEST, **rule})})


def flag(default: bool, meaning: str, **rule: Any) -> Any:
    """A field that is true or false."""
    return field(default=default, metadata={"rule": Rule(meaning, **rule)})


def text(default: str, meaning: str, **rule: Any) -> Any:
    """A free text, such as a path."""
    return field(default=default, metadata={"rule": Rule(meaning, **rule)})


def rule_of(toggle: Field[Any]) -> Rule:
    """The rule of a dataclass field made by `choice`, `number`, `flag` or `text`."""
    rule = toggle.metadata["rule"]
    assert isinstance(rule, Rule)
    return rule


def check(settings: Any) -> None:
    """Holds every field of `settings` to its type and rule; call it in `__post_init__`.

    Raises:
        SettingError: names the toggle, the rule and the value.
    """
    for toggle in fields(settings):
        value = getattr(settings, toggle.name)
        default = toggle.default
        assert default is not MISSING, f"{toggle.name} needs a default"
        kinds = (int, float) if isinstance(default, float) else type(default)
        wrong_flag = isinstance(value, bool) and not isinstance(default, bool)
        if not isinstance(value, kinds) or wrong_flag:
            wanted = (
                "a number" if isinstance(default, float) else f"of type {type(default).__name__}"
            )
            raise SettingError(f"{toggle.name} must be {wanted}, got {value!r}")
        if not rule_of(toggle).admits(value):
            raise SettingError(
                f"{toggle.name} must be {rule_of(toggle).allowed(value)}, got {value!r}"
            )


def shaping_values(settings: Any) -> dict[str, Any]:
    """The toggles that shape a result, as plain typed values: 100 and 100.0 are one percentile."""
    return {
        toggle.name: _typed(toggle, getattr(settings, toggle.name))
        for toggle in fields(settings)
        if rule_of(toggle).shapes_result
    }


def keywords_by_name(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorates a function of toggles: an unknown keyword is refused with the nearest known one,
    and a number of numpy's, such as np.int64(10), is Python's of the same value.

    Raises:
        SettingError: the function has no such keyword.
    """
    known = list(inspect.signature(function).parameters)

    @functools.wraps(function)
    def checked(*arguments: Arguments.args, **keywords: Arguments.kwargs) -> Result:
        for name, value in keywords.items():
            if name not in known:
                raise SettingError(
                    f"{function.__name__} has no keyword {name}={value!r}{nearest(name, known)}"
                    f" (there are {', '.join(known)})"
                )
        plain: Any = {name: _without_numpy(value) for name, value in keywords.items()}
        return function(*arguments, **plain)

    return checked


def _without_numpy(value: Any) -> Any:
    scalar = type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0
    return value.item() if scalar else value


def nearest(word: str, words: Sequence[str]) -> str:
    """`; did you mean X?`, by the whole word, else by its last part; empty if none is near."""
    close = difflib.get_close_matches(word, words, n=1)
    if not close:
        tails = {known.rpartition(".")[2]: known for known in words}
        last = difflib.get_close_matches(word.rpartition(".")[2], list(tails), n=1)
        close = [tails[tail] for tail in last]
    return f"; did you mean {close[0]}?" if close else ""


def neutral_values(settings: Any) -> dict[str, Any]:
    """The value of each shaping toggle that run keys leave out."""
    found = {}
    for toggle in fields(settings):
        rule = rule_of(toggle)
        if rule.shapes_result:
            neutral = toggle.default if rule.neutral is None else rule.neutral
            found[toggle.name] = _typed(toggle, neutral)
    return found


def key_values(settings: Any) -> dict[str, Any]:
    """The shaping toggles that are not at their neutral value, as plain typed values: a toggle that
    is new changes no key until somebody sets it."""
    neutral = neutral_values(settings)
    values = shaping_values(settings)
    return {name: value for name, value in values.items() if value != neutral[name]}


def disagreement(
    asked: Mapping[str, Any], neutral: Mapping[str, Any], known: Mapping[str, Any]
) -> str:
    """The first toggle of which a result's record says another value than was asked for, in words;
    empty if there is none. A toggle that the record does not know is neutral there."""
    for name, value in asked.items():
        recorded = known.get(name, neutral.get(name))
        if recorded != value:
            return f"{name} was {recorded!r} for it, and {value!r} is asked for"
    return ""


def _typed(toggle: Field[Any], value: Any) -> Any:
    return float(value) if isinstance(toggle.default, float) else value
