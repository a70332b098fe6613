import dataclasses
from itertools import pairwise

import pytest

from ann2snn.ann.settings import AnnSettings
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.data.settings import DataSettings
from ann2snn.settings import rule_of
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.tracking.naming import (
    QUALIFIED,
    charted_steps,
    metric_points,
    normalization_name,
    parameters,
    run_name,
    shown_number,
    spelled,
    varying_parameters,
)
from tests.tracking.project_with_results import ann_record, conversion_record, simulation_record

POINT = conversion_record("analog", "subtract", "percentile", 99.0)


def test_no_two_toggles_share_a_name_in_mlflow() -> None:
    groups = {
        "data": DataSettings,
        "ann": AnnSettings,
        "conversion": ConversionSettings,
        "simulation": SimulationSettings,
    }
    names = [
        QUALIFIED.get((step, toggle.name), toggle.name)
        for step, group in groups.items()
        for toggle in dataclasses.fields(group)
        if rule_of(toggle).shapes_result and (step, toggle.name) != ("ann", "network")
    ]
    assert sorted(names) == sorted(set(names))
    assert "network" not in names
    assert {"reset", "input", "percentile", "pooling", "steps"} <= set(names)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("percentile", "p99.9"), ("max", "max"), ("none", "none"), ("channel", "channel p99.9")],
)
def test_a_normalization_has_a_short_name(kind: str, name: str) -> None:
    assert normalization_name({"normalization": kind, "percentile": 99.9}) == name


def test_a_name_begins_with_what_varies_most_and_tells_nothing_twice() -> None:
    others = [
        POINT,
        conversion_record("analog", "zero", "max", 99.0),
        conversion_record("analog", "zero", "none", 99.0),
    ]
    assert varying_parameters(others) == ["normalization", "reset"]
    assert run_name(POINT, varying_parameters(others)) == "p99 · subtract · analog · digits"
    named = run_name(POINT, ["pooling", "percentile"])
    assert named == "pooling rise · p99 · subtract · analog · digits"
    assert run_name(ann_record(), ["ann.pooling"]) == "ann.pooling max · digits_cnn · digits"


@pytest.mark.parametrize(
    ("kind", "shown"), [("percentile", True), ("channel", True), ("max", False), ("none", False)]
)
def test_a_percentile_is_shown_only_where_the_normalization_takes_one(
    kind: str, shown: bool
) -> None:
    assert ("percentile" in parameters(conversion_record("analog", "zero", kind, 99.9))) is shown


def test_toggles_of_few_steps_are_shown_only_where_they_do_something() -> None:
    record = conversion_record("analog", "subtract", "percentile", 99.9)
    toggles = {**record.settings["conversion"], "for_steps": 0, "output_from": 1}
    with_them = dataclasses.replace(record, settings={"conversion": toggles})
    assert not {"for_steps", "output_from"} & set(parameters(with_them))
    few = {**toggles, "for_steps": 8, "output": "potential", "output_from": 3}
    shown = parameters(dataclasses.replace(record, settings={"conversion": few}))
    assert (shown["for_steps"], shown["output_from"]) == ("8", "3")


@pytest.mark.parametrize(
    ("value", "shown"), [(99.4444, "99.44"), (1234567.8, "1,234,568"), (19, "19"), (None, "–")]
)
def test_a_table_shows_numbers_in_few_digits(value: object, shown: str) -> None:
    assert shown_number(value) == shown


def test_values_are_spelled_as_people_write_them() -> None:
    assert [spelled(value) for value in (True, 99.0, 99.999, 3, "max")] == [
        "true", "99", "99.999", "3", "max",
    ]  # fmt: skip
    assert parameters(POINT)["percentile"] == "99"


def test_a_chart_of_a_curve_is_never_off_by_a_sixteenth_of_its_step() -> None:
    for steps in (1, 8, 31, 32, 33, 300, 1000, 100_000):
        shown = charted_steps(steps)
        assert (shown[0], shown[-1]) == (1, steps)
        assert shown[:31] == list(range(1, min(steps, 31) + 1))
        assert all(16 * (later - step) <= step for step, later in pairwise(shown[16:]))
    assert len(charted_steps(300)) < 100
    assert charted_steps(0) == []


def test_a_thinned_curve_keeps_each_value_at_its_step() -> None:
    curve = [1 / step for step in range(1, 301)]
    record = dataclasses.replace(simulation_record(POINT), curves={"accuracy": curve})
    points = [(value, step) for name, value, step in metric_points(record) if name == "accuracy"]
    assert points == [(1 / step, step) for step in charted_steps(300)]


def test_curves_count_from_one_and_single_numbers_stand_at_zero() -> None:
    points = metric_points(simulation_record(POINT))
    assert ("ann_accuracy", 98.0, 0) in points
    assert [step for name, _, step in points if name == "synops"][:3] == [1, 2, 3]
    assert not any(name.startswith("early_exit") for name, _, _ in points)
    assert [point for point in metric_points(ann_record()) if point[0] == "train_loss"][-1] == (
        "train_loss", 0.2, 5,
    )  # fmt: skip
