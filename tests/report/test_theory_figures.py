"""Figures of rates against activations: what they predict, and what they leave out."""

import dataclasses
from pathlib import Path

import pytest

from ann2snn.report.comparing import compared_layers, predicted_error
from ann2snn.report.figures import all_charts
from ann2snn.report.results import Results, Study, outliers, read_results
from tests.report.example_artifacts import example_artifacts


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("theory")))


def study_of(results: Results, kind: str) -> Study:
    (study,) = results.of_kind(kind)
    return study


def test_subtraction_is_predicted_to_err_by_half_a_spike_an_active_neuron(results: Results) -> None:
    """0.4 of the neurons active: 0.4 / (2 * 10) at step 10, and 0.01 that saturates."""
    point = study_of(results, "theory").points[0]
    first, second = compared_layers(point)
    assert predicted_error(point, first, 10) == pytest.approx(0.03)
    assert predicted_error(point, second, 10) is None


def test_reset_to_zero_is_predicted_to_err_for_ever(results: Results) -> None:
    point = study_of(results, "theory").points[1]
    first, _ = compared_layers(point)
    assert predicted_error(point, first, 1) == predicted_error(point, first, 300)
    assert predicted_error(point, first, 1) == pytest.approx(0.06)


def test_nothing_is_predicted_of_a_noisy_input(results: Results) -> None:
    point = study_of(results, "theory").points[2]
    assert all(predicted_error(point, layer, 5) is None for layer in compared_layers(point))


def test_layers_come_in_the_order_of_the_network(results: Results) -> None:
    point = study_of(results, "theory").points[0]
    details = {"comparison": dict(reversed(point.simulation.details["comparison"].items()))}
    turned = dataclasses.replace(
        point, simulation=dataclasses.replace(point.simulation, details=details)
    )
    assert [layer.name for layer in compared_layers(turned)] == ["first", "second"]


def test_low_activations_compare_the_two_points_that_differ_in_the_input(results: Results) -> None:
    (chart,) = [c for c in all_charts(results) if c.name == "example-theory-low-activations"]
    assert {row[1] for row in chart.rows} == {"subtract", "poisson"}


def test_the_verdict_on_batch_normalization_counts_layers(results: Results) -> None:
    study = study_of(results, "batch-norm")
    assert outliers(study.points[0])["first"] == (9.0, 3.0)
    (chart,) = [c for c in all_charts(results) if c.name == "example-batch-norm"]
    assert "smaller with batch normalization in 0 of 2 layers" in chart.caption


def test_a_study_without_comparisons_draws_none(results: Results) -> None:
    study = study_of(results, "theory")
    bare = tuple(
        dataclasses.replace(p, simulation=dataclasses.replace(p.simulation, details={}))
        for p in study.points
    )
    alone = Results((dataclasses.replace(study, points=bare),), {}, {}, {})
    assert list(all_charts(alone)) == []


def test_every_kind_of_the_example_is_a_kind_of_the_report(tmp_path: Path) -> None:
    kinds = {study.kind for study in read_results(example_artifacts(tmp_path)).studies}
    assert {"theory", "batch-norm"} <= kinds
