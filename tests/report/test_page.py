"""What the page says beside its figures: costs, verdicts, rules, in words that data back."""

import dataclasses
from pathlib import Path

import pytest

from ann2snn.numerics.intervals import paired_chance
from ann2snn.numerics.steps_to_level import lasting_step_at
from ann2snn.report.page import report_page
from ann2snn.report.results import Results, read_results
from ann2snn.report.rows import energy_ratio, spikes_until, synops_until
from ann2snn.report.tables import chosen_point, same_toggles
from tests.report.changed_results import changed, study_of, with_accuracy, with_study
from tests.report.example_artifacts import example_artifacts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("page")))


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return report_page(results, [], "../artifacts")


def test_chance_is_mcnemars_and_none_where_all_answers_agree() -> None:
    """1.96 standard errors of a difference of two networks that differ on 100 of 10,000."""
    assert paired_chance(99.0, 10_000) == pytest.approx(0.196, abs=0.0001)
    assert paired_chance(100.0, 10_000) == 0.0


def test_a_level_lasts_from_the_step_after_the_last_one_below() -> None:
    assert lasting_step_at([1, 5, 3, 5, 6], 5) == 4
    assert lasting_step_at([5, 6], 5) == 1
    assert lasting_step_at([5, 4], 5) is None


def test_costs_up_to_a_step_add_up_to_those_of_the_run(results: Results) -> None:
    point = study_of(results, "best").points[0]
    assert synops_until(point, 300) == pytest.approx(synops_until(point))
    assert synops_until(point, 30) == pytest.approx(0.1 * synops_until(point))
    assert spikes_until(point, 300) == pytest.approx(spikes_until(point))
    assert spikes_until(point, 60) == pytest.approx(0.2 * spikes_until(point))


def test_energy_up_to_a_step_holds_the_first_layer_whole(results: Results) -> None:
    point = study_of(results, "best").points[0]
    first = point.metrics["first_layer_macs"] / point.metrics["macs_per_image"]
    early, whole = energy_ratio(point, 30), energy_ratio(point)
    assert early - first == pytest.approx(0.1 * (whole - first))


def test_the_best_table_shows_the_papers_method_beside_the_chosen_one(page: str) -> None:
    best = page[page.index("## Best results") : page.index("What they cost")]
    assert "| by channel |" in best
    assert "| the paper's |" in best


def test_a_selection_names_its_rule_its_point_and_what_takes_it(page: str) -> None:
    assert "the first of equals: a scale a channel (98.50 %" in page
    assert "`example-best` takes it." in page
    assert "has been trained on these images too" in page


def test_of_equal_agreement_the_first_point_is_chosen(results: Results) -> None:
    study = study_of(results, "selection")
    tied = tuple(changed(point, agreement=99.0) for point in study.points)
    assert chosen_point(dataclasses.replace(study, points=tied)).name == tied[0].name


def test_a_best_study_with_other_toggles_than_chosen_is_told(results: Results) -> None:
    selection = study_of(results, "selection")
    other = changed(selection.points[0], agreement=99.9)
    turned = dataclasses.replace(selection, points=(other, *selection.points[1:]))
    page = report_page(with_study(results, turned), [], "../artifacts")
    assert "`example-best` takes another." in page


def test_a_kept_network_leads_to_its_record_and_another_is_named_by_its_key(
    results: Results,
) -> None:
    key = study_of(results, "best").points[0].simulation.parents["ann"]
    kept = dataclasses.replace(results, trained={key: Path("ann/example/record.json")})
    page = report_page(kept, [], "../artifacts")
    link = f"[`{key[:10]}`](../artifacts/ann/example/record.json)"
    assert f"Study `example-best`, network `cifar10_cnn` ({link})." in page
    others = {point.simulation.parents["ann"] for point in study_of(results, "architecture").points}
    assert all(f"`{other[:10]}`" in page for other in others)
    assert page.count("artifacts/ann/") == page.count("artifacts/ann/example/record.json")


def test_every_readout_of_a_run_has_a_row(page: str) -> None:
    for words in ("softmax at clock ticks", "largest potential", "most spikes"):
        assert f"| {words} |" in page


def test_what_all_points_share_is_named_and_what_varies_is_not(page: str) -> None:
    gates = page[page.index("## CIFAR-10 (JPEG copy): Gates") :]
    assert "All points: `input=analog reset=subtract normalization=percentile" in gates
    ablation = page[page.index("## CIFAR-10 (JPEG copy): What each mechanism adds") :]
    assert "All points:" not in ablation[: ablation.index("|  |")]


def test_the_shape_of_the_percentiles_is_judged_by_the_curves(results: Results) -> None:
    study = study_of(results, "percentiles")
    curves = {
        "default": [10.0], "max-norm": [10.0], "p95": [60.0, 70.0], "p99": [0.0, 60.0, 86.0],
        "p99.9": [0.0, 0.0, 60.0, 87.0], "p99.999": [0.0] * 4 + [86.0], "p100": [0.0] * 5 + [85.0],
    }  # fmt: skip

    def words(of: dict[str, list[float]]) -> str:
        turned = with_accuracy(study, [of[point.name] for point in study.points])
        text = report_page(with_study(results, turned), [], "../artifacts")
        return text[text.index("The paper's shape: ") :].splitlines()[0]

    assert words(curves) == (
        "The paper's shape: the lowest percentile, 95, starts fastest: yes; ends lowest of the"
        " percentiles: yes; 85.0 % comes later with every higher one: yes."
    )
    other = {**curves, "p95": [0.0, 60.0, 99.0], "p99.9": [0.0, 86.0]}
    assert words(other) == (
        "The paper's shape: the lowest percentile, 95, starts fastest: tied; ends lowest of the"
        " percentiles: no; 85.0 % comes later with every higher one: no."
    )


def test_the_committed_best_results_take_what_validation_images_chose() -> None:
    committed = read_results(ROOT / "artifacts")
    chosen = {study.network: chosen_point(study) for study in committed.of_kind("selection")}
    best = {study.network: study.points[-1] for study in committed.of_kind("best")}
    assert set(best) == set(chosen)
    assert all(point.part == "validation" for point in chosen.values())
    assert [name for name in best if not same_toggles(best[name], chosen[name])] == []
