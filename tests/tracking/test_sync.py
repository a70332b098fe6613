import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ann2snn.records import write_json
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import sync
from tests.tracking.converted_network import store_network
from tests.tracking.project_with_results import (
    RUNS,
    SHARED,
    STEPS,
    ann_record,
    key_of,
    runs_of,
    store_results,
)


def test_every_result_becomes_one_run_however_often_it_is_sent(project: Path) -> None:
    first = sync(project)
    second = sync(project)
    assert (first.written, first.kept) == (RUNS, 0)
    assert (second.written, second.updated, second.kept) == (0, 0, RUNS)
    assert len(runs_of(project)) == RUNS


@pytest.mark.timed
def test_a_sync_with_nothing_to_do_takes_a_tenth_of_a_second(sent_copy: Path) -> None:
    started = time.perf_counter()
    sync(sent_copy)
    assert time.perf_counter() - started < 0.1


def test_a_run_shows_toggles_curves_data_and_files(sent_project: Path) -> None:
    client = connect(place_of(sent_project))
    run = runs_of(sent_project)[SHARED.key]
    assert run.info.run_name == "p99.9 · analog · subtract · digits"
    assert run.info.status == "FINISHED"
    assert run.data.params["reset"] == "subtract"
    assert run.data.params["pooling"] == "rise"
    assert run.data.params["ann.pooling"] == "max"
    assert run.data.metrics["exact"] == 1
    assert "gone" not in run.data.metrics
    curve = client.get_metric_history(run.info.run_id, "accuracy")
    assert [point.step for point in curve] == list(range(1, STEPS + 1))
    assert [point.value for point in curve] == SHARED.curves["accuracy"]
    assert run.inputs.dataset_inputs[0].dataset.name == "digits"
    assert run.data.tags["data_sha256.test_images"] == "b" * 64
    trained = runs_of(sent_project)[key_of("ann")]
    assert run.data.tags["ann_run"] == trained.info.run_id
    assert trained.info.run_id in run.data.tags["mlflow.note.content"]
    assert trained.data.metrics["train_loss"] == ann_record().metrics["train_loss"]


def test_no_run_lasts_no_time(project: Path, sent_project: Path) -> None:
    assert {run.info.end_time for run in runs_of(sent_project).values()} == {None}
    store_results(project)
    sync(project)
    runs = runs_of(project)
    lasting = {key: run.info.end_time - run.info.start_time for key, run in runs.items()}
    assert lasting[SHARED.key] == 1500
    assert lasting["study/simulation/digits-percentiles"] == 4 * 1500


def test_what_git_keeps_of_machines_is_shown(project: Path) -> None:
    made = {"threads": 2, "processor": "a processor", "versions": {"torch": "2.15.0"}}
    write_json(project / "artifacts" / "machines.json", {"simulation/digits-percentiles": made})
    sync(project)
    tags = runs_of(project)[SHARED.key].data.tags
    assert (tags["processor"], tags["version.torch"]) == ("a processor", "2.15.0")


@pytest.mark.system
def test_a_sync_says_one_line_and_nothing_of_each_run(project: Path) -> None:
    command = [sys.executable, "-m", "ann2snn.tracking"]
    store_network(project)
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    told = [line for line in done.stderr.splitlines() if not line.startswith("sending to MLflow")]
    assert told == []


def test_a_rebuilt_store_shows_what_a_live_one_shows(project: Path, sent_project: Path) -> None:
    store_results(project)
    sync(project)
    live = runs_of(project)
    anew = runs_of(sent_project)
    assert {key: shown(run) for key, run in live.items()} == {
        key: shown(run) for key, run in anew.items()
    }
    assert live[SHARED.key].data.tags["git_commit"] == "abc123"


def shown(run: Any) -> tuple[object, ...]:
    return run.info.run_name, run.data.params, run.data.metrics


@pytest.mark.system
def test_two_processes_at_once_send_each_run_once(project: Path) -> None:
    command = [sys.executable, "-m", "ann2snn.tracking"]
    both = [
        subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = sorted(process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert f" {RUNS} runs written" in said[1]
    assert len(runs_of(project)) == RUNS


def test_a_sync_that_was_killed_in_a_run_is_completed(sent_copy: Path) -> None:
    client = connect(place_of(sent_copy))
    run = runs_of(sent_copy)[SHARED.key]
    client.set_terminated(run.info.run_id, "RUNNING")
    client.delete_tag(run.info.run_id, "content")
    assert sync(sent_copy).updated == 1
    curve = client.get_metric_history(run.info.run_id, "accuracy")
    assert len(curve) == STEPS
    assert runs_of(sent_copy)[SHARED.key].info.status == "FINISHED"


def test_a_client_on_the_file_lists_artifacts_also_where_the_folder_has_been_moved(
    sent_copy: Path,
) -> None:
    assert sync(sent_copy).kept == RUNS
    assert sent_copy.as_uri().encode() in (sent_copy / "mlflow.db").read_bytes()
    run, client = runs_of(sent_copy)[key_of("ann")], connect(place_of(sent_copy))
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"record.json"}
    fetched = Path(client.download_artifacts(run.info.run_id, "weights.safetensors"))
    assert fetched.read_bytes() == b"weights"
    assert run.info.artifact_uri.startswith(sent_copy.as_uri())


def test_a_store_whose_artifacts_named_no_folder_is_told_theirs(sent_copy: Path) -> None:
    with closing(sqlite3.connect(sent_copy / "mlflow.db")) as file, file:
        there = file.execute("SELECT name, artifact_location FROM experiments").fetchall()
        for name, location in there:
            old = f"mlflow-artifacts:/{name.replace(' ', '-')}"
            for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
                file.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (location, old)
                )
    assert sync(sent_copy).kept == RUNS
    run, client = runs_of(sent_copy)[SHARED.key], connect(place_of(sent_copy))
    assert "record.json" in {file.path for file in client.list_artifacts(run.info.run_id)}


def test_experiments_of_others_keep_their_place(sent_copy: Path) -> None:
    client = connect(place_of(sent_copy))
    others = {"theirs": "mlflow-artifacts:/7", "digits ann 2": "s3://bucket/digits-ann-2"}
    for name, location in others.items():
        client.create_experiment(name, location)
    sync(sent_copy)
    for name, location in others.items():
        assert client.get_experiment_by_name(name).artifact_location == location


def test_a_file_that_is_no_record_is_named(project: Path) -> None:
    broken = project / "store" / "ann" / "k" / "record.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"ann/k/record\.json is not a record"):
        sync(project)
