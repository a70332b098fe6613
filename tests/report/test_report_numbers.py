"""Intervals, published numbers, rows for machines."""

import dataclasses
from pathlib import Path

import pytest

from ann2snn.numerics.intervals import wilson_interval
from ann2snn.numerics.steps_to_level import first_step_at
from ann2snn.plots.drawing import apart
from ann2snn.report.chart import csv_text
from ann2snn.report.published import (
    bar_of,
    curve_of,
    is_papers_network,
    published,
    published_curves,
)
from ann2snn.report.results import Point, read_results
from ann2snn.report.rows import energy_ratio, result_row
from tests.report.changed_results import changed, study_of, with_settings
from tests.report.example_artifacts import ABLATION, example_artifacts, simulation_record


def point(name: str = "percentile-99.9", **metrics: float) -> Point:
    _, source, reset, scale, final = ABLATION[name]
    record = simulation_record("s", name, "CIFAR-10", 0, source, reset, scale, final)
    record = dataclasses.replace(record, metrics={**record.metrics, **metrics})
    return Point(name, name, None, record, None)  # type: ignore[arg-type]


def test_the_interval_is_wilsons() -> None:
    assert wilson_interval(80 / 100, 10) == pytest.approx((49.02, 94.33), abs=0.01)
    assert wilson_interval(0 / 100, 10) == pytest.approx((0, 27.75), abs=0.01)
    assert wilson_interval(100 / 100, 10) == pytest.approx((72.25, 100), abs=0.01)


def test_the_first_step_counts_from_one_and_may_not_exist() -> None:
    assert first_step_at([10, 20, 15, 20], 20) == 2
    assert first_step_at([10, 20], 21) is None


def test_labels_stand_apart_in_order_and_inside_the_axes() -> None:
    assert apart([0.2, 0.21, 0.9], 0.1) == pytest.approx([0.2, 0.3, 0.9])
    assert apart([0.97, 0.98, 0.99], 0.1) == pytest.approx([0.8, 0.9, 1.0])
    assert apart([], 0.1) == []


def test_a_table_for_machines_spells_unknown_and_truth_plainly() -> None:
    assert csv_text(["a", "b", "c"], [[None, True, 1 / 3]]) == "a,b,c\n,true,0.333333\n"


def test_the_authors_curves_reach_85_percent_when_their_figure_does() -> None:
    curves = published_curves()
    reached = [first_step_at(curves[name], 85) for name in ("p99", "p99.9", "p99.999")]
    assert reached == [57, 79, 112]
    assert {len(curve) for curve in curves.values()} == {300}


def test_an_unverified_number_is_never_printed_bare() -> None:
    numbers = [n for table in ("ablation", "architecture", "best", "earlier")
               for n in published(table).values()]  # fmt: skip
    assert {n.mark for n in numbers} == {"A", "M"}
    for number in numbers:
        assert ("unverified" in number.words) == (number.mark == "M")


def test_the_bars_of_the_paper_rise_in_its_order() -> None:
    bars = [n.value for name, n in published("ablation").items() if name != "ann"]
    assert bars == sorted(bars)
    assert list(published("ablation"))[1:] == list(ABLATION)


@pytest.mark.parametrize("name", ABLATION)
def test_a_bar_is_found_by_its_mechanisms(name: str) -> None:
    assert bar_of(point(name).toggles) == name


def test_toggles_that_the_paper_did_not_try_have_no_bar_and_no_curve() -> None:
    toggles = {"input": "poisson", "reset": "zero", "normalization": "percentile",
               "percentile": 99.9}  # fmt: skip
    assert bar_of(toggles) is None
    assert curve_of(toggles) is None


def test_the_authors_max_norm_curve_belongs_to_the_baseline_not_to_the_full_method() -> None:
    baseline = {"input": "poisson", "reset": "zero", "normalization": "max", "percentile": 99.9}
    full = {"input": "analog", "reset": "subtract", "normalization": "percentile",
            "percentile": 100.0}  # fmt: skip
    assert curve_of(baseline) == "max_norm"
    assert curve_of(full) is None
    assert curve_of({**full, "percentile": 99.0}) == "p99"


def test_only_the_papers_network_on_cifar_10_is_compared() -> None:
    settings = point().simulation.settings
    assert is_papers_network(settings, "CIFAR-10 (JPEG copy)")
    assert not is_papers_network(settings, "MNIST")
    other = {**settings, "ann": {**settings["ann"], "pooling": "average"}}
    assert not is_papers_network(other, "CIFAR-10")


def test_a_study_says_how_its_networks_were_trained(tmp_path: Path) -> None:
    study = study_of(read_results(example_artifacts(tmp_path)), "architecture")
    assert study.extent == "10,000 test images, 300 steps, seed 0; trained 12 epochs, seeds 0, 1, 2"
    once = with_settings(study.points[0], "ann", epochs=1)
    given = with_settings(study.points[0], "ann", weights="own.safetensors", epochs=7)
    assert dataclasses.replace(study, points=(once,)).training == "trained 1 epoch, seed 0"
    assert dataclasses.replace(study, points=(given,)).training == "given weights"
    both = dataclasses.replace(study, points=(once, given))
    assert both.training == "trained 1 epoch, seed 0; given weights"


def test_a_row_holds_what_the_page_says_of_a_run(tmp_path: Path) -> None:
    """The example's best run: spikes and operations alike at every step, 98 % equal answers."""
    study = study_of(read_results(example_artifacts(tmp_path)), "best")
    row = result_row(study, study.points[0])
    assert row["epochs"] == 12
    assert row["chance"] == pytest.approx(0.277, abs=0.001)
    assert list(row["first_steps"]) == ["50.0", "85.0"]
    curve = study.points[0].simulation.curves["accuracy"]
    assert row["first_steps"]["85.0"] == first_step_at(curve, 85)
    assert row["at_99"]["spikes_per_neuron"] == pytest.approx(14.25 * 120 / 300)
    assert row["at_99"]["synops_per_image"] == pytest.approx(3.2e8 * 120 / 300)
    assert row["outputs"]["softmax"]["snn_accuracy"] == curve[-1]
    assert row["outputs"]["softmax"]["snn_accuracy_last50"] == pytest.approx(sum(curve[-50:]) / 50)
    assert row["early_exit"]["margin"] == [0.5, 1.0, 2.0, 4.0]
    assert row["saturating"]["second"] == pytest.approx(0.001)
    assert row["outliers"]["first"] == 3.0
    slow = result_row(study, changed(study.points[0], steps_to_99=None, ann_accuracy=80.0))
    assert slow["at_99"] is None
    assert list(slow["first_steps"]) == ["50.0", "77.6"]


def test_energy_counts_additions_and_the_first_layer_once() -> None:
    ratio = energy_ratio(point(synops_per_image=100, first_layer_macs=10, macs_per_image=50))
    assert ratio == pytest.approx((90 + 46) / 230)
