"""MLflow's pages over a project's store, on this machine only."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from ann2snn.stopping import tell_at_stop
from ann2snn.tracking.links import CLASSIC, FRONT, front_page
from ann2snn.tracking.server import QUIET, Place, connect, place_of
from ann2snn.tracking.sync import sync
from ann2snn.tracking.views import SHARED

HOST = "127.0.0.1"
LARGEST_PORT = 65535


def ui(project: Path, port: int = 5000, uri: str | None = None) -> int:
    """Sends what is missing, then serves the store until it is stopped; gives the exit code.

    Raises:
        ValueError: the store is a server's, or a record cannot be read.
        OSError: the port is taken.
    """
    place = place_of(project, uri)
    if place.database is None:
        raise ValueError(f"{place.uri} is a server: open it in a browser")
    require_free(port)
    print(sync(project, place.uri), flush=True)
    if not place.database.is_file():
        with place.alone():
            connect(place)
    address = f"http://{HOST}:{port}/#/experiments?{CLASSIC}"
    print(f"MLflow on {address} in some seconds; Ctrl-C stops it", flush=True)
    for name, page in front_pages(place).items():
        print(f"  {name}: http://{HOST}:{port}/{page}", flush=True)
    return serve(place, port)


def front_pages(place: Place) -> dict[str, str]:
    """The page that each experiment of a sqlite store is best opened on, by name, without the
    server's address."""
    assert place.database is not None
    query = (
        "SELECT name, experiments.experiment_id FROM experiments JOIN experiment_tags AS tags"
        " ON tags.experiment_id = experiments.experiment_id AND tags.key = ?"
        " WHERE lifecycle_stage = 'active' ORDER BY name"
    )
    try:
        with closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as file:
            found = file.execute(query, (SHARED + FRONT,)).fetchall()
    except sqlite3.Error:
        return {}
    return {name: front_page(str(number)) for name, number in found}


def serve(place: Place, port: int) -> int:
    """Runs MLflow's server until it ends or this process is told to stop."""
    tell_at_stop("the pages are no longer served")
    # MLflow's own processes do not pass a signal on to each other: all get it as one group.
    with subprocess.Popen(
        server_command(place, port),
        env={**os.environ, **QUIET},
        cwd=place.database.parent if place.database else None,
        start_new_session=True,
    ) as server:
        try:
            return max(0, server.wait())
        except BaseException:
            os.killpg(server.pid, signal.SIGTERM)
            raise


def require_free(port: int) -> None:
    """Passes if the port can be listened on.

    Raises:
        ValueError: there is no such port.
        OSError: another program listens on it.
    """
    if not 1 <= port <= LARGEST_PORT:
        raise ValueError(f"the port must be from 1 to {LARGEST_PORT}, got {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise OSError(
                f"port {port} is taken: choose another with --port {port + 1}, or with make ui"
                f" PORT={port + 1}"
            ) from error


def server_command(place: Place, port: int) -> list[str]:
    """The command that serves a sqlite store and the artifacts beside it."""
    return [
        sys.executable, "-m", "mlflow", "server",
        "--backend-store-uri", place.uri,
        "--artifacts-destination", str(place.artifacts),
        "--host", HOST, "--port", str(port), "--workers", "1",
        "--uvicorn-opts", "--log-level warning",
    ]  # fmt: skip
