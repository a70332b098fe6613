"""A sweep's figure: its form follows from what varies, and what is missing is seen."""

import csv
import itertools
from pathlib import Path
from typing import Any

import pytest

from ann2snn.report.chart import save_chart
from ann2snn.report.sweep_chart import SweepResults, are_numbers, sweep_chart

PERCENTILES = {"conversion.percentile": ["90", "99.9", "1e2"]}
RESETS = {"conversion.reset": ["subtract", "zero"]}


def results(axes: dict[str, list[str]], holes: int = 0) -> SweepResults:
    points = list(itertools.product(*axes.values()))
    found: dict[tuple[str, ...], float | None] = {
        point: 90.0 + number for number, point in enumerate(points)
    }
    for point in points[:holes]:
        found[point] = None
    return SweepResults("s", "snn_accuracy", "data=digits", axes, found, dict.fromkeys(points, "k"))


def drawn(axes: dict[str, list[str]], holes: int = 0) -> list[Any]:
    figure = sweep_chart(results(axes, holes)).draw()
    return list(figure.axes)


def test_numbers_give_a_curve_and_words_bars() -> None:
    (curve,), (bars,) = drawn(PERCENTILES), drawn(RESETS)
    assert list(curve.lines[0].get_xdata()) == [90, 99.9, 100]
    assert [bar.get_height() for bar in bars.patches] == [90, 91]


def test_two_axes_give_a_heat_map_and_three_one_for_each_first_value() -> None:
    (panel,) = drawn(PERCENTILES | RESETS)
    assert panel.images[0].get_array().shape == (3, 2)
    three = drawn({"conversion.input": ["analog", "poisson"], **PERCENTILES, **RESETS})
    assert [axes.get_title() for axes in three] == [
        "conversion.input=analog", "conversion.input=poisson",
    ]  # fmt: skip


@pytest.mark.parametrize("axes", [RESETS, RESETS | PERCENTILES])
def test_a_missing_point_is_written_where_it_would_stand(axes: dict[str, list[str]]) -> None:
    (panel,) = drawn(axes, holes=1)
    assert "missing" in [text.get_text() for text in panel.texts]


def test_a_sweep_of_many_axes_says_what_it_leaves_out() -> None:
    axes = {"a": [str(n) for n in range(13)], **PERCENTILES, **RESETS}
    figure = sweep_chart(results(axes)).draw()
    assert len(figure.axes) == 12
    assert "and 1 more panels: see the table" in [text.get_text() for text in figure.texts]


def test_the_table_marks_the_best_point_and_leaves_holes(tmp_path: Path) -> None:
    save_chart(sweep_chart(results(RESETS | PERCENTILES, holes=2)), tmp_path)
    with (tmp_path / "sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["best"] for row in rows] == ["false"] * 5 + ["true"]
    assert [row["snn_accuracy"] for row in rows[:3]] == ["", "", "92"]
    assert rows[0]["conversion.percentile"] == "90"
    assert {path.name for path in tmp_path.iterdir()} == {"sweep.csv", "sweep.png", "sweep.svg"}


def test_a_sweep_of_one_point_is_one_bar() -> None:
    (panel,) = drawn({})
    assert len(panel.patches) == 1


def test_words_are_no_numbers() -> None:
    assert are_numbers(["1", "1e-3"])
    assert not are_numbers(["1", "max"])
    assert not are_numbers(["nan"])
