"""Why the bars stand where they stand, in words that follow from the numbers."""

import dataclasses

import pytest

from ann2snn.report.bar_reasons import (
    cost_of_the_maximum,
    from_bar_to_bar,
    losses_on_the_way,
    reasons,
    slowed_by_outliers,
    sooner_or_later,
)
from ann2snn.report.results import Point, Results, Study, read_results
from tests.report.changed_results import changed, study_of, with_accuracy, with_settings, with_study
from tests.report.example_artifacts import example_artifacts


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("bars")))


@pytest.mark.parametrize("normalization", ["max", "percentile"])
def test_spikes_stand_beside_the_ratios_of_their_own_layers(
    results: Results, normalization: str
) -> None:
    """The example's first layer spikes 3 times as often, its second 1.5 times; the maximum may be
    named the 100th percentile."""
    *before, slow, fast = study_of(results, "ablation").points
    named = with_settings(slow, "conversion", normalization=normalization, percentile=100.0)
    assert named.toggles["normalization"] == normalization
    words = slowed_by_outliers([*before, named, fast])
    assert "the scale of each layer, first to last, falls 3.00, 1.00 times" in words
    assert "its spikes rise 3.00, 1.50 times" in words
    assert words.endswith("over its own scale.")
    slow, fast = changed(named, steps_to_99=249), changed(fast, steps_to_99=85)
    assert "at step 85 instead of 249." in slowed_by_outliers([slow, fast])


def test_points_that_differ_in_more_than_the_scale_are_not_compared(results: Results) -> None:
    points = study_of(results, "ablation").points
    assert slowed_by_outliers(points[:1]) == ""
    assert slowed_by_outliers(points[:4]) == ""
    other = with_settings(points[4], "conversion", percentile=95.0)
    assert slowed_by_outliers([points[3], other]) == ""
    assert from_bar_to_bar(points[:1]) == ""


def test_a_layer_that_was_silent_under_the_maximum_is_called_so(results: Results) -> None:
    *before, slow, fast = study_of(results, "ablation").points
    record = slow.simulation
    curves = {**record.curves, "spikes/first": [0.0] * len(record.curves["spikes/first"])}
    silent = dataclasses.replace(slow, simulation=dataclasses.replace(record, curves=curves))
    assert "its spikes rise from none, 1.50 times" in slowed_by_outliers([*before, silent, fast])


def test_bars_say_by_how_much_they_rise_and_which_are_within_chance(results: Results) -> None:
    points = study_of(results, "ablation").points
    assert from_bar_to_bar(points).startswith(
        "From bar to bar: +45.50, +18.75, +3.75, +4.40; no bar is below the one before."
    )
    level = [points[0], changed(points[1], snn_accuracy=16.0)]
    assert from_bar_to_bar(level) == (
        "From bar to bar: +0.00; no bar is below the one before; level with the one before:"
        " + max-norm."
    )
    near = [points[0], changed(points[1], snn_accuracy=15.9)]
    assert from_bar_to_bar(near) == (
        "From bar to bar: -0.10; 1 below the one before; within the 95 % interval of the one"
        " before: + max-norm."
    )


def test_a_network_is_called_as_fast_as_at_every_percentile(results: Results) -> None:
    """The authors have 85 % right at steps 57, 79 and 112."""
    ablation, study = study_of(results, "ablation"), study_of(results, "percentiles")
    late = with_accuracy(study, [[0.0] * 284 + [90.0]] * len(study.points))
    words = sooner_or_later(ablation, late, 85.0)
    assert "this network is 0.20 to 0.39 times as fast, and so lower at the same step" in words
    soon = with_accuracy(study, [[0.0] * 49 + [90.0]] * len(study.points))
    words = sooner_or_later(ablation, soon, 85.0)
    assert "this network is 1.14 to 2.24 times as fast, and so higher at the same step" in words
    mixed = with_accuracy(
        study,
        [[0.0, 90.0] if p.name == "p99" else [0.0] * 298 + [90.0] for p in study.points],
    )
    assert "this network" not in sooner_or_later(ablation, mixed, 85.0)


def test_steps_at_the_papers_bars_stand_beside_the_one_that_is_published(results: Results) -> None:
    """Bars with the maximum as their scale: 59.82, 79.50, 83.60; the authors' curve of max-norm
    first has 59.82 at step 253."""
    study, ablation = study_of(results, "percentiles"), study_of(results, "ablation")
    rising = with_accuracy(ablation, [[0.0] * 99 + [82.0]] * len(ablation.points))
    words = sooner_or_later(rising, study, 85.0)
    assert "`+ max-norm` at step 100, `+ reset by subtraction` at step 100. When" in words
    assert "their curve passes 59.82 at step 253." in words
    never = with_accuracy(ablation, [[0.0] * 300] * len(ablation.points))
    assert "The paper's bars" not in sooner_or_later(never, study, 85.0)


def test_what_the_maximum_leaves_stands_beside_the_authors_curves(results: Results) -> None:
    study = study_of(results, "percentiles")
    *others, high, top = study.points
    fewer = changed(top, spikes_per_neuron=7.125)
    words = cost_of_the_maximum(dataclasses.replace(study, points=(*others, high, fewer)))
    assert "this network has 87.00, with the 99.999th percentile 88.30" in words
    assert "the maximum leaves 0.50 times the spikes" in words
    assert "end at 87.00 (99.9th) and 87.40 (99.999th), their bar of the maximum stands at" in words
    silent = changed(high, spikes_per_neuron=0.0)
    assert cost_of_the_maximum(dataclasses.replace(study, points=(silent, top))) == ""
    assert cost_of_the_maximum(dataclasses.replace(study, points=study.points[:-1])) == ""


def best_of(results: Results, **toggles: object) -> Results:
    """The results with other toggles of the best method."""
    best = study_of(results, "best")
    points = (with_settings(best.points[0], "conversion", **toggles),)
    return with_study(results, dataclasses.replace(best, points=points))


def test_the_loss_of_the_last_bar_is_followed_to_the_best_study(results: Results) -> None:
    assert losses_on_the_way(results, study_of(results, "ablation")) == (
        "The loss of the last bar against its ANN is 0.10 (by the mean of the last 50 steps 0.15;"
        " by chance at most 0.00); theirs 0.04. On the way to `example-best`: with"
        " `normalization=channel` 0.05 (by the mean of the last 50 steps 0.10; by chance at most"
        " 0.28)."
    )


def test_toggles_between_two_runs_are_named_together(results: Results) -> None:
    """No run has the other gate alone, so it is not told apart from what changes after it."""
    words = losses_on_the_way(best_of(results, pooling="rise"), study_of(results, "ablation"))
    assert "with `pooling=rise` and `normalization=channel` 0.05" in words


def test_a_way_that_no_run_lies_on_is_not_told(results: Results) -> None:
    ablation = study_of(results, "ablation")
    alone = dataclasses.replace(results, studies=(ablation,))
    assert losses_on_the_way(alone, ablation).endswith("; theirs 0.04.")
    same = best_of(results, normalization="percentile")
    assert losses_on_the_way(same, ablation).endswith("; theirs 0.04.")
    other = dataclasses.replace(ablation, dataset="MNIST")
    assert losses_on_the_way(results, other) == ""


def of_other_network(study: Study) -> Study:
    points = []
    for point in study.points:
        record = dataclasses.replace(point.simulation, parents={"ann": "other"})
        points.append(dataclasses.replace(point, simulation=record))
    return dataclasses.replace(study, points=tuple(points))


def test_only_studies_of_the_same_trained_network_give_reasons(results: Results) -> None:
    ablation = study_of(results, "ablation")
    assert any("this network has 87.00" in text for text in reasons(results, ablation, 85.0))
    other = with_study(results, of_other_network(study_of(results, "percentiles")))
    assert not any("this network" in text for text in reasons(other, ablation, 85.0))


def averaging(point: Point) -> Point:
    return with_settings(point, "ann", pooling="average")


def test_another_network_than_the_papers_is_not_compared_with_it(results: Results) -> None:
    study = study_of(results, "percentiles")
    other = dataclasses.replace(study, points=tuple(map(averaging, study.points)))
    assert sooner_or_later(study_of(results, "ablation"), other, 85.0) == ""
    assert cost_of_the_maximum(other) == ""
