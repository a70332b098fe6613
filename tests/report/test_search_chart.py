"""A search's figure: a panel for each toggle, and the best trials apart from the others."""

import csv
from pathlib import Path

import numpy as np

from ann2snn.plots.colours import BLUE, ORANGE
from ann2snn.report.chart import save_chart
from ann2snn.report.search_chart import SearchResults, search_chart

RESULTS = SearchResults(
    name="s",
    drawn={"conversion.percentile": ["99", "98.5", "97"], "conversion.reset": ["zero", "a", "a"]},
    logarithmic=frozenset({"conversion.percentile"}),
    values={"snn_accuracy": [90.0, None, 91.0], "synops_per_image": [5.0, None, 7.0]},
    best=[0, 2],
    notes=["k0", "refused, for a reason", "k2"],
)


def test_each_toggle_and_the_second_metric_have_a_panel() -> None:
    panels = [axes for axes in search_chart(RESULTS).draw().axes if axes.get_visible()]
    assert [axes.get_xlabel() for axes in panels] == [*RESULTS.drawn, "synops_per_image"]
    assert [axes.get_xscale() for axes in panels] == ["log", "linear", "linear"]
    places = [np.concatenate([line.get_xdata() for line in axes.lines]).tolist() for axes in panels]
    assert places == [[99, 97], [0, 1], [5, 7]]
    assert [label.get_text() for label in panels[1].get_xticklabels()] == ["zero", "a"]


def test_the_best_trials_have_a_colour_of_their_own() -> None:
    one = SearchResults(
        "s", RESULTS.drawn, frozenset(), {"snn_accuracy": [90.0, None, 91.0]}, [2], ["", "", ""]
    )
    dots = search_chart(one).draw().axes[0].lines
    assert [dot.get_color() for dot in dots] == [BLUE, ORANGE]


def test_the_table_has_every_trial_and_why_one_has_no_value(tmp_path: Path) -> None:
    save_chart(search_chart(RESULTS), tmp_path)
    with (tmp_path / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["1", "2", "3"]
    assert (rows[1]["snn_accuracy"], rows[1]["run"]) == ("", "refused, for a reason")
    assert [row["best"] for row in rows] == ["true", "false", "true"]
