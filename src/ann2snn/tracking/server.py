"""The MLflow store of a project, and the client for it.

The default store is the sqlite file `mlflow.db` in the project folder, by a URI made when it is
opened. Its experiments keep artifacts under `mlflow-artifacts:/`, which names no folder: a server
finds them in `mlartifacts` beside the file, wherever the project folder has been moved or copied.
"""

import contextlib
import logging
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from filelock import FileLock

from ann2snn.numerics.atomic_files import whole_file

Files = dict[str, bytes | Path]  # artifacts by name: their content, or where it is
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
SCHEME = "mlflow-artifacts:/"
ANSWER_WITHIN = 5.0

# MLflow reads these when it is imported or starts its server. A server that goes away is noticed in
# seconds with 2 retries; with MLflow's own 7 it takes minutes.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class TrackingUnavailableError(ConnectionError):
    """The MLflow server or store cannot be used; results stay in their records."""


@dataclass(frozen=True)
class Place:
    """An MLflow store: its URI, and its sqlite file if it is one."""

    uri: str
    lock: Path
    database: Path | None

    @property
    def artifacts(self) -> Path | None:
        """The folder of artifacts that are written without a server."""
        return self.database.parent / ARTIFACTS if self.database else None

    @property
    def shown(self) -> str:
        """The URI without user name and password."""
        return _without_password(self.uri)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the store against other processes that write to it from here."""
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.lock):
            yield


def _without_password(uri: str) -> str:
    scheme, slashes, rest = uri.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def place_of(project: Path, uri: str | None = None) -> Place:
    """The store that `uri` names, else MLFLOW_TRACKING_URI, else `mlflow.db` in the project.

    Raises:
        ValueError: the URI is neither sqlite nor http(s).
    """
    project = project.absolute()
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project / DATABASE}"
    if uri.startswith("sqlite:///"):
        database = (project / uri.removeprefix("sqlite:///")).absolute()
        return Place(f"sqlite:///{database}", database.with_name(f"{database.name}.lock"), database)
    if not uri.startswith(("http://", "https://")):
        raise ValueError(
            "the MLflow URI must begin with sqlite:///, http:// or https://, got"
            f" {_without_password(uri)!r}"
        )
    return Place(uri.rstrip("/"), project / "store" / "locks" / "mlflow.lock", None)


def require_answer(place: Place) -> None:
    """Passes if a server answers; a sqlite file needs none.

    Raises:
        TrackingUnavailableError: the server does not answer; one line, with the cure.
    """
    if place.database is not None:
        return
    try:
        with urllib.request.urlopen(f"{place.uri}/health", timeout=ANSWER_WITHIN):  # noqa: S310
            return
    except urllib.error.HTTPError:
        return  # the server answers; MLflow's own client tells what is wrong with the call
    except (OSError, HTTPException) as error:
        reason = str(getattr(error, "reason", "")) or reason_of(error)
        raise unavailable(place, reason) from error


def unavailable(place: Place, reason: str) -> TrackingUnavailableError:
    fault = "cannot be used" if place.database is not None else "does not answer"
    return TrackingUnavailableError(
        f"MLflow at {place.shown} {fault} ({reason}); results stay in the records,"
        " python -m ann2snn.tracking sends them once it is back"
    )


def reason_of(error: BaseException) -> str:
    """An error's message in one line, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def connect(place: Place) -> Any:
    """An MlflowClient of the store; the sqlite file is made if it is not there.

    Call it while holding `place.alone()`.

    Raises:
        TrackingUnavailableError: the server does not answer.
        MlflowException: the store is of another version, or none.
    """
    require_answer(place)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from mlflow.tracking import MlflowClient

    if place.database is not None and not place.database.is_file():
        _create(place.database)
    return MlflowClient(place.uri)


def _create(database: Path) -> None:
    """Makes an empty store, at once and whole: a kill leaves no half of one."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with whole_file(database) as unfinished:
        SqlAlchemyStore(f"sqlite:///{unfinished}", SCHEME).engine.dispose()


def send_files(client: Any, place: Place, run: Any, files: Files) -> None:
    """Puts artifacts where the run keeps them: beside a sqlite file, else through the server."""
    uri: str = run.info.artifact_uri
    if place.artifacts is not None and uri.startswith(SCHEME):
        _write(files, place.artifacts / uri.removeprefix(SCHEME))
        return
    with tempfile.TemporaryDirectory() as scratch:
        _write(files, Path(scratch))
        client.log_artifacts(run.info.run_id, scratch)


def _write(files: Files, folder: Path) -> None:
    for name, file in files.items():
        with whole_file(folder / name) as unfinished:
            unfinished.write_bytes(file if isinstance(file, bytes) else file.read_bytes())
