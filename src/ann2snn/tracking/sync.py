"""Records into MLflow: what is missing there is sent, what is there stays as it is."""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ann2snn.progress import Progress
from ann2snn.tracking.naming import experiment_name
from ann2snn.tracking.runs import Entry, read_entries
from ann2snn.tracking.server import (
    SCHEME,
    Place,
    connect,
    place_of,
    reason_of,
    send_files,
    unavailable,
)
from ann2snn.tracking.views import send_views

AT_ONCE = 1000  # metrics, MLflow's limit in a batch; 100 parameters and 100 tags
STATE = "content"
LONGEST = 5000  # of a tag's value, in characters


@dataclass(frozen=True)
class Summary:
    """Counts of a sync: runs written anew, brought up to date, and there already."""

    written: int
    updated: int
    kept: int
    uri: str

    def __str__(self) -> str:
        return (
            f"MLflow {self.uri}: {self.written} runs written, {self.updated} updated,"
            f" {self.kept} there already"
        )


def sync(project: Path, uri: str | None = None, *, progress: bool = True) -> Summary:
    """Sends every result of a project folder to MLflow, once per key.

    `uri` names the store; by default MLFLOW_TRACKING_URI does, else it is the project's own
    `mlflow.db`. Several processes may call this at once.

    Raises:
        TrackingUnavailableError: the server or the sqlite file cannot be used.
        ValueError: a record cannot be read, or the URI is of no known kind.
    """
    place = place_of(project, uri)
    entries = read_entries(project)
    if not entries or _shown_by_file(place, entries):
        return Summary(0, 0, len(entries), place.shown)
    with (
        place.alone(),
        Progress("sending to MLflow", len(entries), "runs", shown=progress) as shown,
    ):
        try:
            return _Sender(connect(place), place).send(entries, shown)
        except (OSError, ValueError):
            raise
        except Exception as error:
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            if not isinstance(error, MlflowException | SQLAlchemyError):
                raise
            raise unavailable(place, reason_of(error)) from error


def _shown_by_file(place: Place, entries: list[Entry]) -> bool:
    """Whether the sqlite file shows all entries already.

    A look into it takes milliseconds, importing MLflow and opening its store seconds. A file of
    another layout is left to MLflow.
    """
    if place.database is None or not place.database.is_file():
        return False
    query = (
        "SELECT keys.value, states.value FROM runs"
        " JOIN tags AS keys ON keys.run_uuid = runs.run_uuid AND keys.key = 'run_key'"
        " JOIN tags AS states ON states.run_uuid = runs.run_uuid AND states.key = ?"
        " WHERE runs.status = 'FINISHED' AND runs.lifecycle_stage = 'active'"
    )
    try:
        with closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as file:
            shown = dict(file.execute(query, (STATE,)).fetchall())
    except sqlite3.Error:
        return False
    return all(shown.get(entry.key) == entry.content for entry in entries)


class _Sender:
    """Sends entries through one client, in order: parents and inputs come first."""

    def __init__(self, client: Any, place: Place) -> None:
        self.client = client
        self.place = place
        self.runs = runs_by_key(client)

    def send(self, entries: list[Entry], shown: Progress) -> Summary:
        written = updated = kept = 0
        for done, entry in enumerate(entries):
            shown.count(done)
            run = self.runs.get(entry.key)
            if run is None:
                written += 1
            elif run.info.status == "FINISHED" and run.data.tags.get(STATE) == entry.content:
                kept += 1
                continue
            else:
                updated += 1
            self._send(entry, run)
        send_views(self.client, entries, self.runs)
        return Summary(written, updated, kept, self.place.shown)

    def _send(self, entry: Entry, run: Any | None) -> None:
        if run is None:
            run = start_run(self.client, entry.dataset, entry.step, entry.key, entry.name)
            self.runs[entry.key] = run
        run_id = run.info.run_id
        self._send_values(entry, run)
        if entry.manifest:
            self.client.log_inputs(run_id, datasets=[data_set_input(entry)])
        send_files(self.client, self.place, run, entry.files)
        end = run.info.start_time + round(1000 * entry.seconds)
        self.client.set_terminated(run_id, "FINISHED", end)
        self.client.set_tag(run_id, STATE, entry.content)

    def _send_values(self, entry: Entry, run: Any) -> None:
        from mlflow.entities import Metric, Param, RunTag

        wanted = {**entry.tags, **self._links(entry), "mlflow.runName": entry.name}
        there, known, info = points_there(self.client, run), run.data, run.info
        tags = [RunTag(n, v[:LONGEST]) for n, v in wanted.items() if known.tags.get(n) != v]
        params = [Param(n, v) for n, v in entry.parameters.items() if n not in known.params]
        metrics = [
            Metric(name, value, info.start_time, step)
            for name, value, step in entry.metrics
            if (name, step) not in there
        ]
        for at in range(0, max(len(tags), len(params)), 100):
            batch = {"params": params[at : at + 100], "tags": tags[at : at + 100]}
            self.client.log_batch(info.run_id, **batch)
        for at in range(0, len(metrics), AT_ONCE):
            self.client.log_batch(info.run_id, metrics=metrics[at : at + AT_ONCE])

    def _links(self, entry: Entry) -> dict[str, str]:
        """Tags and a description that lead to the parent and to the inputs of a run."""
        tags: dict[str, str] = {}
        lines = []
        if entry.parent in self.runs:
            tags["mlflow.parentRunId"] = self.runs[entry.parent].info.run_id
        for step, key in entry.links.items():
            if key in self.runs:
                info = self.runs[key].info
                tags[f"{step}_run"] = info.run_id
                target = f"#/experiments/{info.experiment_id}/runs/{info.run_id}"
                lines.append(f"- made from the {step} run [{info.run_name}]({target})")
        if lines:
            told = [entry.tags.get("label", ""), "", *lines]
            tags["mlflow.note.content"] = "\n".join(told).strip()
        return tags


def runs_by_key(client: Any) -> dict[str, Any]:
    """All runs of a store that bear a run key."""
    experiments = [found.experiment_id for found in client.search_experiments()]
    found: dict[str, Any] = {}
    token = None
    while experiments:
        page = client.search_runs(experiments, max_results=1000, page_token=token)
        found |= {run.data.tags["run_key"]: run for run in page if "run_key" in run.data.tags}
        token = page.token
        if not token:
            break
    return found


def start_run(client: Any, dataset: str, step: str, key: str, name: str) -> Any:
    """A new run that bears `key` from the start, in the experiment of its step and data set, which
    is made if need be."""
    wanted = experiment_name(dataset, step)
    there = client.get_experiment_by_name(wanted)
    if there is not None:
        experiment = there.experiment_id
    else:
        folder = "".join(letter if letter.isalnum() else "-" for letter in wanted)
        kind = {"mlflow.experimentKind": "custom_model_development"}
        experiment = client.create_experiment(wanted, f"{SCHEME}{folder}", kind)
    now = round(1000 * time.time())
    return client.create_run(experiment, start_time=now, tags={"run_key": key}, run_name=name)


def points_there(client: Any, run: Any) -> set[tuple[str, int]]:
    """(name, step) of all metrics that a run has, such as a live training or a killed sync left."""
    return {
        (name, point.step)
        for name in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, name)
    }


def data_set_input(entry: Entry) -> Any:
    """The data set as MLflow shows inputs: name, hash, source and counts, without its images."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    manifest = entry.manifest
    dataset = Dataset(
        name=manifest["name"],
        digest=manifest["sha256"]["test_images"][:8],
        source_type="manifest",
        source=json.dumps({"source": manifest.get("source", "")}),
        profile=json.dumps({**manifest.get("counts", {}), "shape": manifest.get("shape")}),
    )
    context = "training" if entry.step == "ann" else "testing"
    return DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
