"""Points of a sweep are spelled here as Hydra's sweeper spells them when it hands them out."""

from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from ann2snn.config.checks import check_overrides
from ann2snn.config.overrides import choices_of, first_line, parsed
from ann2snn.settings import SettingError
from ann2snn.sweep.points import axes_of, label_of, point_id, points_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_points_are_the_product_of_the_axes_with_the_last_axis_fastest() -> None:
    axes = axes_of(["a.x=1,2", "a.y=k", "a.z=range(0,3)"])
    assert axes == {"a.x": ["1", "2"], "a.y": ["k"], "a.z": ["0", "1", "2"]}
    points = points_of(axes)
    assert len(points) == 6
    assert points[:2] == [["a.x=1", "a.y=k", "a.z=0"], ["a.x=1", "a.y=k", "a.z=1"]]


@pytest.mark.parametrize(
    "overrides",
    [
        ["ann.learning_rate=1e-3", "conversion.percentile=99.90,1e2"],
        ["data.path=a b.zip", "ann.network=pets.model:make,digits_cnn"],
        ["ann.weights='',\"it's.safetensors\"", "ann.bias=True,false"],
        ["ann.weights=${oc.env:HOME}/w", "simulation.steps=1_000"],
        ["conversion.percentile=99,99.9", "conversion.percentile=95"],
        ["simulation.steps=range(1,4)", "ann.averaging=range(0.5,1.5,0.5)"],
        ["data=choice(digits,mnist)", "conversion.reset=sort(zero,subtract)", "run.name="],
    ],
)
def test_points_are_spelled_as_hydras_sweeper_spells_them(overrides: list[str]) -> None:
    theirs = BasicSweeper.split_arguments([parsed(line) for line in overrides], None)
    assert points_of(axes_of(overrides)) == theirs[0]
    for point in theirs[0]:
        assert points_of(axes_of(point)) == [point]


def test_a_glob_goes_over_the_named_choices_of_a_group() -> None:
    assert axes_of(["ann=glob(*s*,exclude=cifar*)"]) == {
        "ann": ["digits_cnn", "fashion_mnist_resnet20", "mnist_cnn", "resnet20", "resnet20_given"]
    }
    check_overrides(["ann=glob(*)"])
    assert len(choices_of("ann")) == len(list((ROOT / "conf" / "ann").glob("*.yaml")))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("conversion.percentile=glob(*)", "glob goes over the named choices of data, ann"),
        ("ann=glob(imagenet*)", "gives no value"),
        ("conversion.percentile=interval(1,3)", "an interval has no values .* range"),
        ("simulation.steps=range(3,1)", "gives no value"),
        ("simulation.steps=range(1,3,0)", "arg 3 must not be zero"),
        ("conversion.percentile=range(1.0,2.0,0.0)", "Invalid range values"),
        ("simulation.steps=range(1,3),range(5,7)", r"range\(1,3\),range\(5,7\)': "),
        ("conversion.percentile=choice()", "is not an override.*empty choice"),
    ],
)
def test_what_cannot_be_gone_through_is_told_in_one_line(override: str, message: str) -> None:
    with pytest.raises(SettingError, match=message) as told:
        check_overrides([override])
    assert "\n" not in str(told.value)


def test_a_label_says_what_varies_without_the_escapes_of_hydras_grammar() -> None:
    axes = axes_of(["ann.network=pets.model:make,digits_cnn", "data.path=a b.zip", "ann.seed=1,2"])
    assert label_of(points_of(axes)[0], axes) == "ann.network=pets.model:make, ann.seed=1"
    assert label_of(["ann.seed=1"], axes_of(["ann.seed=1"])) == ""


def test_a_points_file_does_not_depend_on_the_order_of_its_overrides() -> None:
    assert point_id(["a=1", "b=2"]) == point_id(["b=2", "a=1"])
    assert point_id(["a=1", "b=2"]) != point_id(["a=1", "b=3"])


def test_an_error_that_says_nothing_is_told_by_its_cause_or_kind() -> None:
    silent = RuntimeError()
    assert first_line(silent) == "RuntimeError"
    silent.__cause__ = ValueError("the reason\nand more")
    assert first_line(silent) == "the reason"
