"""The page: its tables, costs, and what stands beside the paper's numbers."""

import dataclasses
import re
from pathlib import Path

import pytest

from ann2snn.numerics.intervals import paired_chance
from ann2snn.numerics.steps_to_level import lasting_step_at
from ann2snn.report.findings import findings
from ann2snn.report.page import report_page
from ann2snn.report.results import Results, chosen_point, read_results
from ann2snn.report.rows import energy_ratio, spikes_until, synops_until
from ann2snn.report.tables import Tables
from tests.report.changed_results import changed, study_of, with_accuracy, with_settings
from tests.report.example_artifacts import example_artifacts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("page")))


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return report_page(results, [], {}, "../artifacts")


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
    best = page[page.index("## Best results") : page.index("How sure")]
    assert "| by channel |" in best
    assert "| the paper's |" in best


def test_a_selection_names_its_rule_and_its_point(page: str) -> None:
    link = "[a scale a channel](../artifacts/simulation/example-selection/channel.json)"
    assert f"the first of equals: {link}." in page


def test_of_equal_agreement_the_first_point_is_chosen(results: Results) -> None:
    study = study_of(results, "selection")
    tied = tuple(changed(point, agreement=99.0) for point in study.points)
    assert chosen_point(dataclasses.replace(study, points=tied)).name == tied[0].name


def test_a_kept_network_leads_to_its_record_and_another_is_named_by_its_key(
    results: Results,
) -> None:
    key = study_of(results, "best").points[0].simulation.parents["ann"]
    kept = dataclasses.replace(results, trained={key: Path("ann/example/record.json")})
    page = report_page(kept, [], {}, "../artifacts")
    link = f"[`{key[:10]}`](../artifacts/ann/example/record.json)"
    assert f"- Network: `cifar10_cnn` ({link})" in page
    others = {point.simulation.parents["ann"] for point in study_of(results, "architecture").points}
    assert all(f"`{other[:10]}`" in page for other in others)
    assert page.count("artifacts/ann/") == page.count("artifacts/ann/example/record.json")


def test_every_output_of_a_run_has_a_row(page: str) -> None:
    for words in ("softmax at clock ticks", "largest potential", "most spikes"):
        assert f"| {words} |" in page


def test_what_all_points_share_is_named_and_what_varies_is_not(page: str) -> None:
    poolings = page[page.index("## CIFAR-10 (JPEG copy): Poolings") :]
    assert "All points: `input=analog reset=subtract normalization=percentile" in poolings
    ablation = page[page.index("## CIFAR-10 (JPEG copy): What each mechanism adds\n") :]
    assert "All points:" not in ablation[: ablation.index("\n## ")]


def test_bars_stand_beside_the_papers_with_what_each_gains(page: str) -> None:
    assert "| + max-norm | 61.50 | 59.82 | +1.68 | +45.50 | +43.32 |" in page


def test_a_late_rise_stands_beside_the_authors_of_as_many_steps(results: Results) -> None:
    """Their curve of max-norm rises from 58.2 to 62.8 in its last 50 steps."""
    study = study_of(results, "ablation")
    rising = [step / 5 for step in range(1, 301)]
    whole = Tables(results, "").differences(with_accuracy(study, [rising] * 5))
    assert "| 300 | 28.50 / 28.04 | +10.00 / +4.60 | 0.0475 |" in whole
    short = Tables(results, "").differences(with_accuracy(study, [rising[:160]] * 5))
    assert "| never | 56.50 / 28.04 | +10.00 | 0.0475 |" in short
    few = Tables(results, "").differences(with_accuracy(study, [rising[:50]] * 5))
    assert "| never | 78.50 / 28.04 |  | 0.0475 |" in few


def test_spikes_stand_beside_the_ratios_of_their_own_layers(results: Results) -> None:
    """The example's first layer spikes 3 times as often, its second 1.5 times."""
    study = study_of(results, "ablation")
    table = Tables(results, "").scale_factors(study)
    assert "| first | 3.00 | 3.00 |" in table
    assert "| second | 1.00 | 1.50 |" in table
    other = with_settings(study.points[4], "conversion", percentile=95.0)
    apart = dataclasses.replace(study, points=(*study.points[:4], other))
    assert Tables(results, "").scale_factors(apart) == ""


def test_the_ann_changes_from_network_to_network_beside_the_papers(results: Results) -> None:
    study = study_of(results, "architecture")
    means = {"full": 88.0, "spiking-average": 88.0, "no-bias": 80.0, "average": 80.5, "relu": 79.0}
    points = tuple(
        changed(point, ann_accuracy=means[point.name.rpartition("-")[0]]) for point in study.points
    )
    table = Tables(results, "").changes(dataclasses.replace(study, points=points))
    assert "| averages in the SNN alone |  |  | 57.10 (56.80 to 57.40) |" in table
    assert "| biases held at zero | -8.00 | -0.13 |" in table
    assert "| average-pooling | +0.50 | -0.04 |" in table
    assert "| ReLU outputs | -1.50 | -18.25 |" in table


@pytest.mark.parametrize("text", ["report/report.md", "README.md"])
def test_no_table_has_more_than_seven_columns(text: str) -> None:
    lines = (ROOT / text).read_text(encoding="utf-8").splitlines()
    widths = [line.count("|") - 1 for line in lines if re.fullmatch(r"[|:\- ]+", line) and line]
    assert widths
    assert max(widths) <= 7


def test_every_link_of_the_committed_page_leads_somewhere() -> None:
    page = (ROOT / "report" / "report.md").read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\((.*?)\)", page) if not link.startswith("#")}
    assert [link for link in sorted(links) if not (ROOT / "report" / link).exists()] == []


def test_every_section_of_the_committed_page_begins_with_its_finding() -> None:
    page = (ROOT / "report" / "report.md").read_text(encoding="utf-8")
    for name, finding in findings(read_results(ROOT / "artifacts")).items():
        assert f"\n\n{finding.summary}\n\n" in page, name
    for section in page.split("\n## ")[1:]:
        assert re.match(r"[A-Z]", section.splitlines()[2])


def test_the_committed_best_results_take_what_validation_images_chose() -> None:
    committed = read_results(ROOT / "artifacts")
    chosen = {study.network: chosen_point(study) for study in committed.of_kind("selection")}
    best = {study.network: study.points[-1] for study in committed.of_kind("best")}
    assert set(best) == set(chosen)
    assert all(point.part == "validation" for point in chosen.values())
    assert [name for name in best if best[name].toggles != chosen[name].toggles] == []
