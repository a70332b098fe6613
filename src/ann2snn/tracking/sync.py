"""Records into MLflow: what is missing there is sent, what is there stays as it is."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ann2snn.progress import Progress
from ann2snn.tracking.answers import told_of
from ann2snn.tracking.entry import Entry
from ann2snn.tracking.logged_models import MODEL
from ann2snn.tracking.moved_store import point_to_artifacts
from ann2snn.tracking.runs import read_entries
from ann2snn.tracking.sender import STATE, Sender
from ann2snn.tracking.server import Place, connect, place_of


@dataclass(frozen=True)
class Summary:
    """Counts of a sync: runs written anew, brought up to date, there already; converted networks
    that are logged models, and those that are none since their spec was never at hand."""

    written: int
    updated: int
    kept: int
    uri: str
    models: int = 0
    no_models: int = 0

    def __str__(self) -> str:
        told = (
            f"MLflow {self.uri}: {self.written} runs written, {self.updated} updated,"
            f" {self.kept} there already"
        )
        if self.models:
            told += f"; logged models: {self.models}"
        if self.no_models:
            told += (
                f"; networks without a model: {self.no_models}, since git keeps only their records"
                " (a simulation with other settings puts the spec into the store)"
            )
        return told


def sync(project: Path, uri: str | None = None, *, progress: bool = True) -> Summary:
    """Sends every result of a project folder to MLflow, once per key.

    `uri` names the store; by default MLFLOW_TRACKING_URI does, else it is the project's own
    `mlflow.db`. Several processes may call this at once, from several folders and machines.

    Raises:
        TrackingUnavailableError: the server or the sqlite file cannot be used.
        ValueError: a record cannot be read, or the URI is of no known kind.
    """
    place = place_of(project, uri)
    entries = read_entries(project)
    point_to_artifacts(place)
    shown_by_file = _shown_by_file(place, entries) if entries else {}
    if shown_by_file is not None:
        return Summary(0, 0, len(entries), place.uri, *_models(entries, shown_by_file))
    with (
        place.alone(),
        place.signed_in(),
        Progress("sending to MLflow", len(entries), "runs", shown=progress) as shown,
    ):
        try:
            sender = Sender(connect(place), place, entries)
            sender.send(shown)
        except (OSError, ValueError):
            raise
        except Exception as error:
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            if not isinstance(error, MlflowException | SQLAlchemyError):
                raise
            raise told_of(place.uri, error) from error
    written = len(sender.started & set(sender.sent))
    updated = len(sender.sent) - written
    kept = len(entries) - written - updated
    return Summary(written, updated, kept, place.uri, *_models(entries, sender.models()))


def _models(entries: list[Entry], models: dict[str, str]) -> tuple[int, int]:
    """How many networks are logged models, and how many are none."""
    networks = [entry.key for entry in entries if entry.step == "conversion" and entry.is_result]
    logged = sum(bool(models.get(key)) for key in networks)
    return logged, len(networks) - logged


def _shown_by_file(place: Place, entries: list[Entry]) -> dict[str, str] | None:
    """The logged models by key if the sqlite file shows all entries already, else None.

    A look into it takes milliseconds, importing MLflow and opening its store seconds. A file of
    another layout is left to MLflow.
    """
    if place.database is None or not place.database.is_file():
        return None
    query = (
        "SELECT keys.value, states.value, models.value FROM runs"
        " JOIN tags AS keys ON keys.run_uuid = runs.run_uuid AND keys.key = 'run_key'"
        " JOIN tags AS states ON states.run_uuid = runs.run_uuid AND states.key = ?"
        " LEFT JOIN tags AS models ON models.run_uuid = runs.run_uuid AND models.key = ?"
        " WHERE runs.status = 'FINISHED' AND runs.lifecycle_stage = 'active'"
    )
    try:
        with closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as file:
            rows = file.execute(query, (STATE, MODEL)).fetchall()
    except sqlite3.Error:
        return None
    states = {key: state for key, state, _ in rows}
    models = {key: model for key, _, model in rows if model}
    whole = all(
        states.get(entry.key) == entry.content and (entry.network is None or entry.key in models)
        for entry in entries
    )
    return models if whole else None
