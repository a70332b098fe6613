"""Figures register themselves: one file is one figure, and two charts of one name are refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn.report.figures import EVERY, FIGURES, OTHERS, all_charts
from ann2snn.report.results import Results, read_results
from tests.report.example_artifacts import ABLATION, example_artifacts, write_study

SOURCE = Path(__file__).parents[2] / "src"
OF_POOLINGS = """
from ann2snn.report.chart import Chart
from ann2snn.plots.drawing import new_figure
from ann2snn.report.figures import FIGURES, StudyFigure

def chart(results, study):
    rows = [[point.simulation.key] for point in study.points]
    name = study.name + {suffix!r}
    return Chart(name, study.name, "mine", ("run",), rows, lambda: new_figure("mine", ""))

FIGURES.add(StudyFigure("mine", ({kinds}), chart))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("table")))


def report_with(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """The report on the example by a copy of the package with one more file of figures."""
    shutil.copytree(SOURCE, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "src/ann2snn/report/figures/zz_mine.py").write_text(text, encoding="utf-8")
    example_artifacts(folder)
    return subprocess.run(
        [sys.executable, "-m", "ann2snn.pipeline.report"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_new_file_is_a_figure_and_takes_its_kind_from_the_general_one(tmp_path: Path) -> None:
    done = report_with(tmp_path, OF_POOLINGS.format(suffix="", kinds="'poolings',"))
    assert done.stderr == ""
    table = (tmp_path / "report/figures/example-poolings.csv").read_text(encoding="utf-8")
    assert table.startswith("run\n")
    assert (tmp_path / "report/figures/example-poolings.svg").is_file()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            OF_POOLINGS.format(suffix="", kinds="'ablation',"),
            "the figures ablation and mine both draw a chart named example-ablation",
        ),
        ("def charts(results): ...", "figures/zz_mine.py adds no row to FIGURES"),
    ],
)
def test_a_figure_that_would_be_lost_is_refused_before_anything_is_written(
    tmp_path: Path, text: str, message: str
) -> None:
    done = report_with(tmp_path, text)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {message}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifacts", "src"]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_draws_something_of_the_example(results: Results, name: str) -> None:
    figure = FIGURES[name]
    drawn = [study for study in results.studies if figure.draws(study.kind)]
    charts = [chart for study in drawn if (chart := figure.chart(results, study))]
    assert charts
    for chart in charts:
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert chart.study in {study.name for study in results.studies}


def test_a_kind_has_figures_of_its_own_or_the_general_one(tmp_path: Path) -> None:
    artifacts = example_artifacts(tmp_path)
    write_study(artifacts, "new", "something", "New", "digits", ABLATION)
    results = read_results(artifacts)
    own = {kind for figure in FIGURES.values() for kind in figure.kinds}
    general = {study.name for study in results.studies if study.kind not in own}
    assert {"new", "example-poolings"} <= general
    assert general == {
        study.name for study in results.studies if FIGURES["choices"].draws(study.kind)
    }
    assert {study.name for study in results.studies} == {c.study for c in all_charts(results)}
    assert own & {*EVERY, *OTHERS} == {*EVERY, *OTHERS}
