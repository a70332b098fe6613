"""Real MLflow servers of each kind that people run, on free ports of this machine."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ann2snn.tracking.server import connect, place_of

NO_DRIVER = (
    "psycopg2-binary is not installed: pip install --target FOLDER psycopg2-binary, and FOLDER on"
    " PYTHONPATH"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of `python -m ann2snn.tracking ui` started in `folder`; stopped afterwards."""
    port = free_port()
    environment = {name: text for name, text in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    with subprocess.Popen(
        [sys.executable, "-m", "ann2snn.tracking", "ui", "--port", str(port)],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        uri = f"http://127.0.0.1:{port}"
        try:
            wait_for(uri, process)
            yield uri
        finally:
            process.terminate()
            process.wait(30)


class Server:
    """`mlflow server` with options, which can be killed and started again at its address."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder, self.options, self.port = folder, options, free_port()
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self.environment = {**os.environ, **quiet, **environment}
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--workers", "1", *self.options],
                cwd=self.folder, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        wait_for(self.uri, self.process)

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait(30)

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URI of an empty PostgreSQL database on loopback; it goes with its folder.

    Skips where Debian's package or the driver is not installed.
    """
    pytest.importorskip("psycopg2", reason=NO_DRIVER)
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.geteuid() == 0 else None  # it does not run as root
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    data, port = folder / "data", free_port()
    if user:
        shutil.chown(folder, user)
    initialize = [f"{programs[-1]}/initdb", "-D", str(data), "-U", "runs", "--auth=trust", "-N"]
    subprocess.run(initialize, check=True, user=user, cwd=folder, capture_output=True)
    command = [f"{programs[-1]}/postgres", "-D", str(data), "-p", str(port), "-h", "127.0.0.1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-k", "", "-c", "fsync=off"],
            user=user, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        address = ["-h", "127.0.0.1", "-p", str(port), "-U", "runs"]
        for _ in range(100):
            ready = [f"{programs[-1]}/pg_isready", *address]
            if subprocess.run(ready, check=False, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        yield f"postgresql+psycopg2://runs@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(3)
        process.wait(30)


def wait_for(uri: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Waits until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError(f"{uri} does not answer in {seconds:g} s")


def runs_on(uri: str, view: int = 1) -> list[Any]:
    """The runs of a server that bear a key: those of MLflow's view type, by default the active."""
    client = connect(place_of(Path.cwd(), uri))
    homes = [found.experiment_id for found in client.search_experiments()]
    found, token = [], None
    while True:
        page = client.search_runs(homes, "", view, max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            return [run for run in found if "run_key" in run.data.tags]


def require_each_once(uri: str, runs: int) -> None:
    """Passes if a server shows so many runs, all of them whole, linked, and of different keys."""
    found = runs_on(uri)
    assert len(found) == len({run.data.tags["run_key"] for run in found}) == runs
    assert {run.info.status for run in found} == {"FINISHED"}
    ids = {run.info.run_id for run in found}
    for run in found:
        linked = {"mlflow.parentRunId", "ann_run", "conversion_run"} & set(run.data.tags)
        assert all(run.data.tags[name] in ids for name in linked)
