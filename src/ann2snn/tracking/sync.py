"""Records into MLflow: what is missing there is sent, what is there stays as it is."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ann2snn.progress import Progress
from ann2snn.tracking.answers import told_of
from ann2snn.tracking.moved_store import point_to_artifacts
from ann2snn.tracking.runs import Entry, read_entries
from ann2snn.tracking.sender import STATE, Sender
from ann2snn.tracking.server import Place, connect, place_of


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
    `mlflow.db`. Several processes may call this at once, from several folders and machines.

    Raises:
        TrackingUnavailableError: the server or the sqlite file cannot be used.
        ValueError: a record cannot be read, or the URI is of no known kind.
    """
    place = place_of(project, uri)
    entries = read_entries(project)
    point_to_artifacts(place)
    if not entries or _shown_by_file(place, entries):
        return Summary(0, 0, len(entries), place.uri)
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
    return Summary(written, updated, len(entries) - written - updated, place.uri)


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
