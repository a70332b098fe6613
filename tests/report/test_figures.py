"""Figures show differences, let nothing leave an axis in silence, and name every number's run."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from ann2snn.plots.drawing import new_figure
from ann2snn.report.chart import rounded, save_chart
from ann2snn.report.errors_on_axes import (
    Accuracy,
    error_axis,
    farthest_shown,
    inside_axis,
    round_ticks,
)
from ann2snn.report.figures import all_charts
from ann2snn.report.results import Point, Results, read_results
from tests.report.drawn_figures import changed, chart_of, drawn, ending_at, words_of, written
from tests.report.example_artifacts import IMAGES, example_artifacts

ERRORS = [12.71, 12.81, 13.00, 13.04, 17.04, 31.70, 45.48]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("figures")))


def test_ticks_are_round_and_stand_apart() -> None:
    assert round_ticks(11, 100, 0.18) == pytest.approx([12, 15, 20, 30, 40, 50, 70, 100])
    assert round_ticks(0.04, 100, 0.6) == pytest.approx(
        [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
    )


def test_a_short_axis_gets_finer_ticks() -> None:
    assert round_ticks(11.9, 13.6, 0.03) == pytest.approx([12, 12.5, 13, 13.5])


def test_a_few_bad_errors_may_not_squeeze_the_others() -> None:
    assert farthest_shown(ERRORS) == 17.04
    assert farthest_shown([12.63, 12.71, 12.81, 90.0]) == 12.81


def test_an_error_within_the_interval_of_one_that_is_shown_is_shown_too() -> None:
    def shown(images: int) -> list[bool]:
        last = [Accuracy(100 - error, images) for error in (0.28, 0.28, 1.11, 12.0)]
        return inside_axis(last, last[:1])

    assert shown(360) == [True, True, True, False]
    assert shown(10**6) == [True, True, False, False]


@pytest.mark.parametrize(
    "errors", [[12.71, 90.0], [0.56, 10.83, 11.11, 11.94], [12.71, 12.81, 15.25], [5.0, 5.0]]
)
def test_errors_that_squeeze_nothing_are_all_shown(errors: list[float]) -> None:
    assert farthest_shown(errors) == max(errors)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_an_axis_of_errors_holds_them_all_and_ends_at_100(axis: Any) -> None:
    axes = new_figure("", "").subplots()
    error_axis(axes, axis, 0.46, 97)
    low, high = axes.get_xlim() if axis == "x" else axes.get_ylim()
    assert 0 < low < 0.46
    assert high == 100


def test_no_error_is_that_of_half_an_image() -> None:
    assert Accuracy(100, 360).error == pytest.approx(0.5 * 100 / 360)
    assert Accuracy(99, 360).error == 1


def test_every_row_of_every_figure_names_a_run(results: Results) -> None:
    records = [
        record.key
        for study in results.studies
        for point in study.points
        for record in (point.simulation, point.conversion)
        if record
    ]
    for chart in all_charts(results):
        assert chart.columns[-1] == "run", chart.name
        for run in {str(row[-1]) for row in chart.rows}:
            assert len(run) >= 12
            assert sum(key.startswith(run) for key in records) == 1, chart.name


def test_no_word_leaves_its_figure(results: Results) -> None:
    for chart in all_charts(results):
        figure = drawn(chart)
        width, height = figure.bbox.size
        for text in words_of(figure):
            box = text.get_window_extent()
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"{chart.name}: {text.get_text()}"


def test_accuracies_are_axes_of_errors_where_choices_are_compared(results: Results) -> None:
    chart = chart_of(results, "example-poolings")
    left, right = drawn(chart).axes
    assert (left.get_xscale(), right.get_yscale()) == ("log", "log")
    assert 0 < left.get_xlim()[0] < left.get_xlim()[1] <= 100
    assert right.get_ylim()[1] == 100


def test_a_choice_beyond_the_axis_is_an_arrow_with_its_number(results: Results) -> None:
    far = changed(
        results, "example-poolings", ending_at(*(100 - error for error in ERRORS[1:]), ann=87.29)
    )
    chart = chart_of(far, "example-poolings")
    assert "Arrows: beyond the axis." in chart.caption
    left = drawn(chart).axes[0]
    assert left.get_xlim()[1] < 31.7
    arrows = [line for line in left.lines if line.get_marker() == ">"]
    assert [list(line.get_xdata()) for line in arrows] == [[left.get_xlim()[1]]] * 2  # type: ignore[arg-type]
    assert {"31.70", "45.48", "17.04"} <= {text.get_text() for text in left.texts}


def test_choices_that_fit_have_no_arrow(results: Results) -> None:
    near = changed(results, "example-poolings", ending_at(87, 86, 86, 86, 86, 86))
    chart = chart_of(near, "example-poolings")
    assert "Arrows" not in chart.caption
    assert [line for line in drawn(chart).axes[0].lines if line.get_marker() == ">"] == []


def test_rows_of_different_networks_have_an_analog_mark_each(results: Results) -> None:
    def other_networks(place: int, point: Point) -> dict[str, Any]:
        return {"metrics": {**point.metrics, "ann_accuracy": 88.0 + place}}

    chart = chart_of(changed(results, "example-poolings", other_networks), "example-poolings")
    assert "Dark ticks (left)" in chart.caption
    left, right = drawn(chart).axes
    assert sum(line.get_label() == "its analog network" for line in left.lines) == len(left.texts)
    legend = left.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["its analog network"]
    dashed = [line for line in right.lines if line.is_dashed()]
    assert [line.get_ydata()[0] for line in dashed] == [12, 11, 10, 9, 8, 7]  # type: ignore[index]


def test_an_error_of_zero_is_drawn_and_said(results: Results) -> None:
    assert "An error of 0" not in chart_of(results, "example-poolings").caption
    for name in ("example-poolings", "example-percentiles", "example-ablation"):
        perfect = changed(results, name, ending_at(100.0, 99.9, 99.8))
        chart = chart_of(perfect, name)
        assert "An error of 0 is drawn as half an image." in chart.caption
        lines = [line for axes in drawn(chart).axes for line in axes.lines]
        ends = [float(list(line.get_ydata())[-1]) for line in lines]  # type: ignore[arg-type]
        assert any(end == pytest.approx(50 / IMAGES) for end in ends), name


def test_intervals_say_that_they_know_nothing_of_the_poisson_seed(results: Results) -> None:
    for name, poisson in (("example-ablation", True), ("example-poolings", False)):
        caption = chart_of(results, name).caption
        assert ("not the seed of the Poisson input" in caption) == poisson


def test_baselines_are_told_apart_by_their_dashes(results: Results, tmp_path: Path) -> None:
    save_chart(chart_of(results, "example-percentiles"), tmp_path)
    drawing = (tmp_path / "example-percentiles.svg").read_text(encoding="utf-8")
    grey = re.findall(r"stroke-dasharray: ([\d., ]+);[^\"]*stroke: #6b6b6b", drawing)
    assert len(grey) == 4  # ours and the authors'
    assert len({len(dashes.split(",")) for dashes in grey}) == 2


def test_the_papers_analog_network_is_a_line_beside_the_papers_bars_only(results: Results) -> None:
    chart = chart_of(results, "example-ablation")
    assert {row[chart.columns.index("published_ann_accuracy")] for row in chart.rows} == {87.86}
    assert "paper's ANN 87.86" in written(drawn(chart))
    study = dataclasses.replace(results.of_kind("ablation")[0], dataset="MNIST")
    assert "paper" not in written(
        drawn(chart_of(Results((study,), {}, {}, {}), "example-ablation"))
    )


def test_bars_that_look_equal_are_shown_again_as_errors(results: Results) -> None:
    assert len(drawn(chart_of(results, "example-ablation")).axes) == 1
    change = ending_at(47.63, 99.39, 99.52, 99.52, 99.54, ann=99.53)
    chart = chart_of(changed(results, "example-ablation", change), "example-ablation")
    assert "Below: the error" in chart.caption
    assert "Arrows: beyond the axis." in chart.caption
    _, below = drawn(chart).axes
    assert below.get_ylim()[1] < 2
    assert {"0.61", "0.46", "52.37"} <= {text.get_text() for text in below.texts}


def test_an_svg_keeps_three_decimals_and_the_size_of_its_letters() -> None:
    for last in ("266.932687", "266.932688"):
        drawing = f'<g transform="translate({last} -0.0004) scale(0.015625 -0.5)"/>'
        assert rounded(drawing) == '<g transform="translate(266.933 0) scale(0.015625 -0.5)"/>'


def test_an_svg_of_the_report_has_no_longer_number(results: Results, tmp_path: Path) -> None:
    save_chart(chart_of(results, "example-poolings"), tmp_path)
    drawing = (tmp_path / "example-poolings.svg").read_text(encoding="utf-8")
    assert re.findall(r"[ML ]-?\d+\.\d{4,}", drawing) == []
