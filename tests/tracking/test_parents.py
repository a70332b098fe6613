"""Studies and sweeps in MLflow: what their runs show, and what leads to their points."""

import dataclasses
import json
from pathlib import Path

import pytest

from ann2snn.tracking.entry import Entry, Point
from ann2snn.tracking.links import LONGEST, links_of
from ann2snn.tracking.parents import parent_entry
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.studies_and_sweeps import groups_of
from ann2snn.tracking.sync import sync
from ann2snn.tracking.ui import front_pages
from tests.tracking.project_with_results import (
    RUNS,
    SHARED,
    conversion_record,
    key_of,
    runs_of,
    simulation_record,
    study_points,
    write_study,
    write_sweep,
)


def test_a_point_of_two_studies_is_one_run_under_the_first(sent_project: Path) -> None:
    runs = runs_of(sent_project)
    parent = runs["study/simulation/digits-ablation"]
    assert runs[SHARED.key].data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert runs[SHARED.key].data.tags["studies"] == "(digits-ablation) (digits-percentiles)"
    assert parent.data.tags["mlflow.note.content"].startswith("The ablation (digits, ablation)\n")
    for study in ("ablation", "percentiles"):
        page = f"/runs/{runs[f'study/simulation/digits-{study}'].info.run_id})"
        assert page in runs[SHARED.key].data.tags["mlflow.note.content"]


@pytest.mark.parametrize("study", ["ablation", "percentiles"])
def test_a_study_lists_all_its_points_with_values_and_links(sent_project: Path, study: str) -> None:
    runs = runs_of(sent_project)
    parent = runs[f"study/simulation/digits-{study}"]
    note = parent.data.tags["mlflow.note.content"]
    for name, conversion in study_points(study).items():
        point = simulation_record(conversion)
        page = f"#/experiments/{parent.info.experiment_id}/runs/{runs[point.key].info.run_id}"
        (row,) = [line for line in note.splitlines() if line.startswith(f"| [label of {name}]")]
        assert page in row
        assert f"{point.metrics['snn_accuracy']:.4g} |" in row
    assert f"viewStateShareKey=study-digits-{study}" in note


def test_a_study_shows_the_numbers_and_curves_of_its_best_point(sent_project: Path) -> None:
    parent = runs_of(sent_project)["study/simulation/digits-percentiles"]
    best = simulation_record(conversion_record("analog", "subtract", "percentile", 95.0))
    assert parent.info.run_name == "percentiles · study digits-percentiles"
    assert parent.data.tags["best_point"] == "label of p95"
    assert parent.data.metrics["snn_accuracy"] == best.metrics["snn_accuracy"]
    assert parent.data.metrics["points"] == 4
    curve = connect(place_of(sent_project)).get_metric_history(parent.info.run_id, "accuracy")
    assert [point.value for point in curve] == best.curves["accuracy"]


def test_a_study_whose_best_point_is_gone_shows_the_next_and_no_old_number(
    sent_copy: Path,
) -> None:
    key = "study/simulation/digits-percentiles"
    old = runs_of(sent_copy)[key].info.run_id
    points = study_points("percentiles")
    del points["p95"]
    simulated = {name: simulation_record(record) for name, record in points.items()}
    write_study(sent_copy, "simulation", "percentiles", simulated)
    assert sync(sent_copy).updated >= 1
    parent = runs_of(sent_copy)[key]
    assert parent.info.run_id != old
    assert parent.data.tags["best_point"] == "label of p99"
    shared = runs_of(sent_copy)[simulated["p100"].key]
    assert shared.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert sync(sent_copy).kept == RUNS


def test_a_long_study_lists_as_many_points_as_mlflow_takes() -> None:
    points = tuple(
        Point(key_of(n), f"point {n}", {"snn_accuracy": 99.0}, n == 0) for n in range(99)
    )
    entry = Entry("study/simulation/s", "simulation", "digits", "s", {}, [], {}, {}, points=points)
    note = links_of(entry, {}, {})["mlflow.note.content"]
    assert len(note) <= LONGEST
    assert note.startswith("Best: point 0")
    long = tuple(Point(point.key, point.label * 9, point.values, point.best) for point in points)
    note = links_of(dataclasses.replace(entry, points=long), {}, {})["mlflow.note.content"]
    assert LONGEST - 200 < len(note) <= LONGEST
    assert note.endswith(" more points: see the table.")


def test_no_two_points_of_a_study_have_one_colour(sent_project: Path) -> None:
    runs = runs_of(sent_project)
    for study in ("ablation", "percentiles"):
        keys = [simulation_record(point).key for point in study_points(study).values()]
        assert len({runs[key].data.tags["mlflow.runColor"] for key in keys}) == len(keys)


def test_the_latest_run_is_the_first_point_of_its_study(sent_project: Path) -> None:
    runs = runs_of(sent_project)
    points = [simulation_record(point).key for point in study_points("ablation").values()]
    assert points == sorted(points, key=lambda key: -runs[key].info.start_time)


def test_the_best_point_of_a_search_is_the_one_that_it_calls_so(project: Path) -> None:
    extra = simulation_record(conversion_record("analog", "zero", "max", 99.9))
    write_sweep(project, [SHARED, extra, SHARED])
    path = project / "store" / "sweeps" / "s1" / "sweep.json"
    content = json.loads(path.read_text())
    for number, point in enumerate(content["points"]):
        point["label"] = f"{number}: {point['label']}"
    for best in (SHARED, extra):
        path.write_text(json.dumps({**content, "best": [best.key]}))
        (group,) = [each for each in groups_of(project) if each.kind == "sweep"]
        entry = parent_entry(group, [SHARED, extra], 1.0, "#000000")
        assert [point.best for point in entry.points] == [best is SHARED, best is extra]
        assert entry.tags["best_point"] == group.label(best.key)
        assert group.label(SHARED.key).startswith("0: ")


def test_a_sweep_is_a_parent_that_tells_its_holes(project: Path) -> None:
    extra = simulation_record(conversion_record("analog", "zero", "percentile", 97.0))
    extra.write(project / "store" / "simulation" / extra.key / "record.json")
    write_sweep(project, [extra, SHARED])
    sync(project)
    runs = runs_of(project)
    parent = runs["sweep/simulation/s1"]
    assert runs[extra.key].data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert parent.info.run_name == "s1 · sweep"
    assert runs[extra.key].info.run_name == "p97 · zero · analog · digits"
    assert runs[SHARED.key].data.tags["sweeps"] == "(s1)"
    assert "bad: no" in parent.data.tags["mlflow.note.content"]


def test_a_study_keeps_its_table_and_figures(sent_project: Path) -> None:
    run = runs_of(sent_project)["study/simulation/digits-percentiles"]
    kept = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (kept / "figures" / "digits-percentiles.csv").is_file()
    lines = (kept / "points.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("point,percentile,ann_accuracy")
    assert lines[1].startswith("label of p95,95,98")


def test_each_study_has_a_view_that_the_experiment_links_to(sent_project: Path) -> None:
    experiment = connect(place_of(sent_project)).get_experiment_by_name("digits simulation")
    assert "viewStateShareKey=study-digits-ablation" in experiment.tags["mlflow.note.content"]
    state = json.loads(experiment.tags["mlflow.sharedViewState.study-digits-ablation"])
    assert state["searchFilter"] == "tags.studies LIKE '%(digits-ablation)%'"
    assert state["selectedColumns"][0] == "metrics.`snn_accuracy`"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_each_experiment_has_a_page_of_charts_to_open_it_on(sent_project: Path) -> None:
    pages = front_pages(place_of(sent_project))
    assert list(pages) == ["digits ann", "digits conversion", "digits simulation"]
    client = connect(place_of(sent_project))
    for name, page in pages.items():
        experiment = client.get_experiment_by_name(name)
        assert page.startswith(f"#/experiments/{experiment.experiment_id}/runs?")
        assert page.endswith("viewStateShareKey=front&compareRunsMode=CHART")
        state = json.loads(experiment.tags["mlflow.sharedViewState.front"])
        assert state["compareRunCharts"][0]["type"] == "BAR"


def test_a_study_that_lacks_its_order_is_named(project: Path) -> None:
    path = project / "artifacts" / "simulation" / "digits-ablation" / "study.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"study\.json cannot be read: it lacks study, title"):
        sync(project)
