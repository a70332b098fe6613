from dataclasses import dataclass
from typing import Any

import pytest

from ann2snn.settings import (
    Rule,
    SettingError,
    check,
    choice,
    disagreement,
    flag,
    key_values,
    neutral_values,
    number,
    shaping_values,
    text,
)


@dataclass(frozen=True)
class Toggles:
    percentile: float = number(99.9, "scale", low=0, high=100, low_excluded=True)
    steps: int = number(300, "steps", low=1)
    reset: str = choice("subtract", ("subtract", "zero"), "reset")
    bias: bool = flag(True, "bias")
    path: str = text("", "path", shapes_result=False)

    def __post_init__(self) -> None:
        check(self)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"percentile": 0.0}, r"percentile must be in \(0, 100\], got 0.0"),
        ({"percentile": 100.1}, r"percentile must be in \(0, 100\], got 100.1"),
        ({"percentile": float("nan")}, r"percentile must be in \(0, 100\], got nan"),
        ({"percentile": "high"}, "percentile must be a number, got 'high'"),
        ({"percentile": True}, "percentile must be a number, got True"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"steps": 1.5}, "steps must be of type int, got 1.5"),
        ({"steps": True}, "steps must be of type int, got True"),
        ({"reset": "half"}, "reset must be one of subtract, zero, got 'half'"),
        ({"bias": 1}, "bias must be of type bool, got 1"),
    ],
)
def test_a_wrong_value_names_toggle_rule_and_value(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Toggles(**values)


def test_a_bound_is_told_with_all_its_digits() -> None:
    assert Rule("seed", low=0, high=2**32 - 1).allowed() == "in [0, 4294967295]"
    assert Rule("share", low=-0.25, high=1e-9, low_excluded=True).allowed() == "in (-0.25, 1e-09]"
    assert Rule("steps", low=1_000_001).allowed() == "at least 1000001"


def test_the_ends_of_a_range_are_in_it_unless_excluded() -> None:
    assert Toggles(percentile=100.0, steps=1) == Toggles(percentile=100, steps=1)


def test_shaping_values_are_typed_and_leave_out_what_shapes_no_result() -> None:
    assert shaping_values(Toggles(percentile=100, path="a")) == shaping_values(
        Toggles(percentile=100.0)
    )
    assert type(shaping_values(Toggles(percentile=100))["percentile"]) is float


@dataclass(frozen=True)
class Changed(Toggles):
    steps: int = number(200, "steps, 300 before", low=1, neutral=300)


def test_a_toggle_at_its_neutral_value_is_in_no_key() -> None:
    assert key_values(Toggles(path="a")) == {}
    assert key_values(Toggles(percentile=100, reset="zero")) == {
        "percentile": 100.0, "reset": "zero",
    }  # fmt: skip
    assert type(key_values(Toggles(percentile=100))["percentile"]) is float


def test_the_neutral_value_is_the_default_unless_the_rule_says_another() -> None:
    assert neutral_values(Changed) == {
        "percentile": 99.9, "steps": 300, "reset": "subtract", "bias": True,
    }  # fmt: skip
    assert key_values(Changed()) == {"steps": 200}
    assert key_values(Changed(steps=300)) == {}


def test_toggles_that_a_record_does_not_know_are_neutral_in_it() -> None:
    asked, neutral = shaping_values(Changed()), neutral_values(Changed)
    assert disagreement(asked, neutral, {**asked}) == ""
    assert disagreement({**asked, "steps": 300}, neutral, {"percentile": 99.9, "gone": 1}) == ""
    assert disagreement(asked, neutral, {}) == "steps was 300 for it, and 200 is asked for"
