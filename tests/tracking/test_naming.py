import dataclasses

import pytest

from ann2snn.ann.settings import AnnSettings
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.data.settings import DataSettings
from ann2snn.settings import rule_of
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.tracking.naming import (
    QUALIFIED,
    metric_points,
    normalization_name,
    parameters,
    run_name,
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


def test_a_name_tells_what_varies_and_not_what_it_told_already() -> None:
    others = [POINT, conversion_record("analog", "zero", "max", 99.0)]
    assert varying_parameters(others) == ["normalization", "reset"]
    assert (
        run_name(POINT, ["reset", "pooling"]) == "subtract · analog · p99 · pooling rise · digits"
    )
    assert run_name(ann_record(), ["ann.pooling"]) == "digits_cnn · ann.pooling max · digits"


def test_values_are_spelled_as_people_write_them() -> None:
    assert [spelled(value) for value in (True, 99.0, 99.999, 3, "max")] == [
        "true", "99", "99.999", "3", "max",
    ]  # fmt: skip
    assert parameters(POINT)["percentile"] == "99"


def test_curves_count_from_one_and_single_numbers_stand_at_zero() -> None:
    points = metric_points(simulation_record(POINT))
    assert ("ann_accuracy", 98.0, 0) in points
    assert [step for name, _, step in points if name == "synops"][:3] == [1, 2, 3]
    assert not any(name.startswith("early_exit") for name, _, _ in points)
    assert [point for point in metric_points(ann_record()) if point[0] == "train_loss"][-1] == (
        "train_loss", 0.2, 5,
    )  # fmt: skip
