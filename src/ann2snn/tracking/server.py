"""The MLflow store of a project, and the client for it.

The default store is the sqlite file `mlflow.db` in the project folder, by a URI made when it is
opened. Its experiments keep artifacts in `mlartifacts` beside the file, so that a client on the
file lists them as a server does; a folder that was moved is noticed (`moved_store`). A server keeps
artifacts where it says itself.
"""

import contextlib
import logging
import os
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ann2snn.numerics.atomic_files import whole_file
from ann2snn.tracking.answers import Bounded, require_answer
from ann2snn.tracking.naming import folder_name

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
SCHEME = "mlflow-artifacts:/"
SILENT_FOR = 2.0  # seconds of waiting before it is told

# MLflow reads these when it is imported or starts its server. A server that goes away is noticed in
# seconds with 2 retries; with MLflow's own 7 it takes minutes.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
SIGNS_IN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


@dataclass(frozen=True)
class Place:
    """An MLflow store: its URI without user name and password, and its sqlite file if it is one."""

    uri: str
    lock: Path
    database: Path | None
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def artifacts(self) -> Path | None:
        """The folder of artifacts that are written without a server."""
        return self.database.parent / ARTIFACTS if self.database else None

    def location(self, experiment: str) -> str:
        """Where a sqlite store keeps the artifacts of an experiment."""
        assert self.artifacts is not None
        return f"{self.artifacts.as_uri()}/{folder_name(experiment)}"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the store against other processes that write to it from here, and tells a wait."""
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        lock, started = FileLock(self.lock), time.monotonic()
        try:
            lock.acquire(timeout=SILENT_FOR)
        except Timeout:
            tell(f"waits for another process that sends this folder's results to {self.uri}")
            lock.acquire()
            tell(f"goes on after {time.monotonic() - started:.0f} s")
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def signed_in(self) -> Iterator[None]:
        """Within, MLflow's client uses the user name and password of the address, if it has any:
        in the address itself they would stand in every message of MLflow's."""
        if self.credentials is None:
            yield
            return
        earlier = {name: os.environ.get(name) for name in SIGNS_IN}
        os.environ.update(zip(SIGNS_IN, self.credentials, strict=True))
        try:
            yield
        finally:
            for name, value in earlier.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def tell(line: str) -> None:
    """A line about MLflow for who watches."""
    print(f"MLflow: {line}", file=sys.stderr, flush=True)


def place_of(project: Path, uri: str | None = None) -> Place:
    """The store that `uri` names, else MLFLOW_TRACKING_URI, else `mlflow.db` in the project.

    Raises:
        ValueError: the URI is neither sqlite nor http(s), or its password cannot be told.
    """
    project = project.absolute()
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project / DATABASE}"
    if uri.startswith("sqlite:///"):
        database = (project / uri.removeprefix("sqlite:///")).absolute()
        return Place(f"sqlite:///{database}", database.with_name(f"{database.name}.lock"), database)
    address, credentials = _parted(uri)
    if not address.startswith(("http://", "https://")):
        raise ValueError(
            "the MLflow URI must begin with sqlite:///, http:// or https://, got"
            f" {address.rpartition('@')[2]!r}"
        )
    lock = project / "store" / "locks" / "mlflow.lock"
    return Place(address.rstrip("/"), lock, None, credentials)


def _parted(uri: str) -> tuple[str, tuple[str, str] | None]:
    """An address without its user name and password, and these two.

    Raises:
        ValueError: it cannot be told where the password ends.
    """
    scheme, slashes, rest = uri.partition("//")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    if "@" in rest[end:]:
        raise ValueError(
            "an @ stands behind the host of the MLflow URI: in a user name or password, write / as"
            " %2F, ? as %3F and # as %23; elsewhere write @ as %40"
        )
    signs, at, host = rest[:end].rpartition("@")
    name, _, password = signs.partition(":")
    address = f"{scheme}{slashes}{host}{rest[end:]}"
    if not at:
        return address, None
    return address, (urllib.parse.unquote(name), urllib.parse.unquote(password))


def connect(place: Place) -> Any:
    """A client of the store; the sqlite file is made if it is not there.

    Call it within `place.signed_in()`. Each call to a server ends within a deadline.

    Raises:
        TrackingUnavailableError: the server does not answer, or not this user.
        MlflowException: the store is of another version, or none.
    """
    if place.database is None:
        require_answer(place.uri)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for talker in ("mlflow.store.db.utils", "alembic", "mlflow.pyfunc"):
        logging.getLogger(talker).setLevel(logging.WARNING)
    from mlflow.tracking import MlflowClient

    if place.database is None:
        return Bounded(MlflowClient(place.uri), place.uri)
    _obtain(place.database)
    return MlflowClient(place.uri)


def _obtain(database: Path) -> None:
    """Makes an empty store if there is none, at once and whole: a kill leaves no half of one."""
    if database.is_file():
        return
    with FileLock(database.with_name(f"{database.name}.new.lock")):
        if not database.is_file():
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            with whole_file(database) as unfinished:
                SqlAlchemyStore(f"sqlite:///{unfinished}", SCHEME).engine.dispose()
