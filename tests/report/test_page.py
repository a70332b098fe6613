"""What the page says beside its figures: costs, verdicts, rules, in words that data back."""

import dataclasses
from pathlib import Path

import pytest

from ann2snn.report.intervals import lasting_step_at, paired_chance
from ann2snn.report.page import report_page
from ann2snn.report.reading import Point, Results, Study, read_results
from ann2snn.report.rows import energy_ratio, spikes_until, synops_until
from ann2snn.report.tables import chosen_point, same_toggles
from ann2snn.report.verdict import from_bar_to_bar, slowed_by_outliers, sooner_or_later
from tests.report.example_artifacts import example_artifacts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("page")))


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return report_page(results, [], "../artifacts")


def study_of(results: Results, kind: str) -> Study:
    (study,) = results.of_kind(kind)
    return study


def changed(point: Point, **metrics: float) -> Point:
    record = point.simulation
    record = dataclasses.replace(record, metrics={**record.metrics, **metrics})
    return dataclasses.replace(point, simulation=record)


def with_accuracy(study: Study, curves: list[list[float]]) -> Study:
    """The study with other accuracies over time, and so at the end."""
    points = []
    for point, curve in zip(study.points, curves, strict=True):
        record = dataclasses.replace(
            point.simulation, curves={**point.simulation.curves, "accuracy": curve}
        )
        points.append(
            changed(dataclasses.replace(point, simulation=record), snn_accuracy=curve[-1])
        )
    return dataclasses.replace(study, points=tuple(points))


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
    studies = tuple(turned if s.kind == "selection" else s for s in results.studies)
    page = report_page(dataclasses.replace(results, studies=studies), [], "../artifacts")
    assert "`example-best` takes another." in page


def test_every_readout_of_a_run_has_a_row(page: str) -> None:
    for words in ("softmax at clock ticks", "largest potential", "most spikes"):
        assert f"| {words} |" in page


def test_what_all_points_share_is_named_and_what_varies_is_not(page: str) -> None:
    gates = page[page.index("## CIFAR-10 (JPEG copy): Gates") :]
    assert "All points: `input=analog reset=subtract normalization=percentile" in gates
    ablation = page[page.index("## CIFAR-10 (JPEG copy): What each mechanism adds") :]
    assert "All points:" not in ablation[: ablation.index("|  |")]


@pytest.mark.parametrize("normalization", ["max", "percentile"])
def test_spikes_stand_beside_the_ratios_of_their_own_layers(
    results: Results, normalization: str
) -> None:
    """The example's first layer spikes 3 times as often, its second 1.5 times; the maximum may be
    named the 100th percentile."""
    *before, slow, fast = study_of(results, "ablation").points
    settings = slow.simulation.settings
    conversion = settings["conversion"] | {"normalization": normalization, "percentile": 100.0}
    record = dataclasses.replace(slow.simulation, settings={**settings, "conversion": conversion})
    named = dataclasses.replace(slow, simulation=record)
    assert named.toggles["normalization"] == normalization
    words = slowed_by_outliers([*before, named, fast])
    assert "the maximum is 3.00, 1.00 times the 99.9th percentile" in words
    assert "the spikes rise 3.00, 1.50 times" in words


def test_points_that_differ_in_more_than_the_scale_are_not_compared(results: Results) -> None:
    points = study_of(results, "ablation").points
    assert slowed_by_outliers(points[:1]) == ""
    assert slowed_by_outliers(points[:4]) == ""
    assert from_bar_to_bar(points[:1]) == ""


def test_a_layer_that_was_silent_under_the_maximum_is_called_so(results: Results) -> None:
    *before, slow, fast = study_of(results, "ablation").points
    record = slow.simulation
    curves = {**record.curves, "spikes/first": [0.0] * len(record.curves["spikes/first"])}
    silent = dataclasses.replace(slow, simulation=dataclasses.replace(record, curves=curves))
    assert "the spikes rise from none, 1.50 times" in slowed_by_outliers([*before, silent, fast])


def test_only_a_network_that_is_faster_everywhere_is_called_faster(results: Results) -> None:
    study = study_of(results, "percentiles")
    late = with_accuracy(study, [[0.0] * 298 + [90.0, 90.0]] * len(study.points))
    assert "this network is slower" in sooner_or_later(late, 85.0)
    soon = with_accuracy(study, [[0.0, 90.0]] * len(study.points))
    assert "this network is faster" in sooner_or_later(soon, 85.0)
    mixed = with_accuracy(
        study,
        [[0.0, 90.0] if p.name == "p99" else [0.0] * 298 + [90.0] for p in study.points],
    )
    assert "this network" not in sooner_or_later(mixed, 85.0)


def test_bars_say_by_how_much_they_rise_and_which_are_within_chance(results: Results) -> None:
    points = study_of(results, "ablation").points
    assert from_bar_to_bar(points).startswith(
        "From bar to bar: +45.50, +18.75, +3.75, +4.40; no bar is below the one before."
    )
    near = [points[0], changed(points[1], snn_accuracy=15.9)]
    assert from_bar_to_bar(near) == (
        "From bar to bar: -0.10; 1 below the one before; within the 95 % interval of the one"
        " before: + max-norm."
    )


def test_the_shape_of_the_percentiles_is_judged_by_the_curves(results: Results) -> None:
    study = study_of(results, "percentiles")
    curves = {
        "default": [10.0], "max-norm": [10.0], "p95": [60.0, 70.0], "p99": [0.0, 60.0, 86.0],
        "p99.9": [0.0, 0.0, 60.0, 87.0], "p99.999": [0.0] * 4 + [86.0], "p100": [0.0] * 5 + [85.0],
    }  # fmt: skip

    def words(of: dict[str, list[float]]) -> str:
        turned = with_accuracy(study, [of[point.name] for point in study.points])
        studies = tuple(turned if s.kind == "percentiles" else s for s in results.studies)
        text = report_page(dataclasses.replace(results, studies=studies), [], "../artifacts")
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
