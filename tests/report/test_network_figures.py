"""Figures of networks: their trainings and calibration, their rates, and when they may stop."""

import dataclasses
import itertools
from typing import Any

import pytest
from matplotlib.text import Text

from ann2snn.report.figures import all_charts
from ann2snn.report.results import Point, Results, read_results
from tests.report.drawn_figures import changed, chart_of, drawn, written
from tests.report.example_artifacts import ARCHITECTURE, example_artifacts


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("figures")))


def test_five_architectures_have_labels_that_do_not_meet(results: Results) -> None:
    labels = ("biases, max-pooling, softmax",
              "biases, max-pooling, softmax; average-pooling in the SNN alone",
              "biases held at zero", "+ average-pooling", "+ ReLU outputs")  # fmt: skip
    (study,) = results.of_kind("architecture")
    renamed = tuple(
        dataclasses.replace(point, label=labels[place // 3])
        for place, point in enumerate(study.points)
    )
    five = Results((dataclasses.replace(study, points=renamed),), {}, {}, {})
    figure = drawn(chart_of(five, study.name))
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
    assert len(boxes) == 5
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert min(box.y0 for box in boxes) > 0


def test_the_papers_networks_have_an_entry_for_each_mark(results: Results) -> None:
    figure = drawn(chart_of(results, "example-architecture"))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "ANN", "SNN", "the paper's ANN", "the paper's ANN, from memory, unverified",
    ]  # fmt: skip


def test_architectures_show_every_training_and_the_spread(results: Results) -> None:
    figure = drawn(chart_of(results, "example-architecture"))
    dots = [line for line in figure.axes[0].lines if line.get_label() == "SNN"]
    assert [len(list(line.get_ydata())) for line in dots] == [3] * (len(ARCHITECTURE) // 3)  # type: ignore[arg-type]
    words = written(figure)
    assert "88.30" in words
    assert "88.0 to 88.6" in words


def test_stopping_early_names_its_output_and_its_intervals(results: Results) -> None:
    (chart,) = [chart for chart in all_charts(results) if chart.name.endswith("-early-exit")]
    assert "largest potential" in chart.caption
    figure = drawn(chart)
    assert "output: the largest potential" in written(figure)
    assert figure.axes[0].get_yscale() == "log"
    low, high = (chart.columns.index(name) for name in ("interval_low", "interval_high"))
    assert all(row[low] < row[4] < row[high] for row in chart.rows)  # type: ignore[operator]
    assert [row[2] for row in chart.rows] == [0.5, 1.0, 2.0, 4.0, None]


@pytest.mark.parametrize("name", ["example-batch-norm", "example-percentiles-saturation"])
def test_calibration_activations_are_counted_by_calibration_images(
    results: Results, name: str
) -> None:
    counts = results.statistics[chart_of(results, name).study]["first"]["image_maxima"]["counts"]
    assert f"{sum(counts):,} calibration images" in written(drawn(chart_of(results, name)))


def test_batch_normalization_names_each_training_with_its_learning_rate(results: Results) -> None:
    def learning(place: int, point: Point) -> dict[str, Any]:
        settings = point.simulation.settings
        rate = {"learning_rate": (0.2, 0.05)[place]}
        return {"settings": {**settings, "ann": {**settings["ann"], **rate}}}

    caption = chart_of(
        changed(results, "example-batch-norm", learning), "example-batch-norm"
    ).caption
    assert (
        "Each is one training (with batch normalization: seed 0, learning rate 0.2; without:"
        " seed 0, learning rate 0.05)"
    ) in caption


def test_shares_of_saturation_are_on_a_logarithmic_axis_and_zero_is_an_arrow(
    results: Results,
) -> None:
    left = drawn(chart_of(results, "example-percentiles-saturation")).axes[0]
    assert left.get_yscale() == "log"
    assert [line.get_marker() for line in left.lines] == ["o", "o", "o", "o", "v"]


def test_the_last_label_of_saturation_stands_outside_the_axes(results: Results) -> None:
    right = drawn(chart_of(results, "example-percentiles-saturation")).axes[1]
    labels = [text for text in right.texts if text.get_text().startswith("step")]
    assert len(labels) == 2
    assert all(Text.get_window_extent(text).x0 > right.bbox.x1 for text in labels)


def test_errors_of_rates_have_one_legend_with_every_line(results: Results) -> None:
    figure = drawn(chart_of(results, "example-theory-errors"))
    assert [axes.get_legend() for axes in figure.axes] == [None] * 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "first", "second", "predicted of first", "1/t from step 10 of second",
    ]  # fmt: skip


def test_panels_of_rates_end_where_their_dots_do(results: Results) -> None:
    def small(place: int, point: Point) -> dict[str, Any]:
        compared = {
            name: {**layer, "samples": [[0.03 * place, 0.02 * place], [0.01, 0.01]]}
            for name, layer in point.simulation.details["comparison"].items()
        }
        return {"details": {"comparison": compared}}

    figure = drawn(chart_of(changed(results, "example-theory", small), "example-theory-rates"))
    ends = [axes.get_xticks()[-1] for axes in figure.axes[::2]]
    assert ends == pytest.approx([0.01, 0.03, 0.1])
    assert written(figure).count("2 dots") == 6


def test_activations_name_the_conversion_that_they_come_from(results: Results) -> None:
    (study,) = results.of_kind("ablation")
    alone = Results((study,), results.statistics, {}, {})
    chart = chart_of(alone, "example-ablation-activations")
    conversion = study.points[0].conversion
    assert conversion is not None
    assert {row[-1] for row in chart.rows} == {conversion.key[:12]}
    assert f"first layer first, {images_of(alone):,} calibration images" in written(drawn(chart))


def images_of(results: Results) -> int:
    return sum(results.statistics["example-ablation"]["first"]["image_maxima"]["counts"])
