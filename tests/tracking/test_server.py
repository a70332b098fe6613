import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ann2snn.tracking.server import TrackingUnavailableError, connect, place_of
from ann2snn.tracking.sync import sync
from ann2snn.tracking.ui import require_free, server_command
from tests.tracking.project_with_results import runs_of

# MLflow and what it builds on warn about their own future.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

CLOSED = "http://someone:secret@127.0.0.1:9"


def test_a_server_that_is_down_is_told_in_one_line_without_its_password(project: Path) -> None:
    with pytest.raises(TrackingUnavailableError) as told:
        sync(project, CLOSED)
    assert str(told.value).startswith("MLflow at http://127.0.0.1:9 does not answer")
    assert "python -m ann2snn.tracking sends them once it is back" in str(told.value)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_the_command_fails_in_one_line_before_mlflow_is_imported(project: Path) -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ann2snn.tracking", "--uri", "http://127.0.0.1:9"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: MLflow at http://127.0.0.1:9 does not answer")
    assert len(done.stderr.splitlines()) == 1
    assert time.monotonic() - started < 2


def test_a_uri_of_another_kind_is_refused(project: Path) -> None:
    with pytest.raises(ValueError, match="must begin with sqlite:///, http:// or https://, got 'f"):
        sync(project, "file:///tmp/mlruns")


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other/my.db")
    assert place_of(tmp_path).database == tmp_path / "other" / "my.db"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert place_of(tmp_path).uri == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} is taken: choose another with PORT="):
            require_free(port)


@pytest.fixture
def server(project: Path, tmp_path: Path, empty_store: Path) -> Iterator[str]:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        server_command(place_of(folder), port),
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stderr=subprocess.DEVNULL,
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        wait_for(uri)
        yield uri
    finally:
        process.terminate()
        process.wait()


def wait_for(uri: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{uri} does not answer")


@pytest.mark.system
def test_results_reach_a_server_once_and_with_their_artifacts(project: Path, server: str) -> None:
    first = sync(project, server)
    second = sync(project, server)
    assert first.written == second.kept > 0
    client = connect(place_of(project, server))
    folder = project.with_name("server")
    run = runs_of(folder)["study/simulation/digits-percentiles"]
    names = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert names == {"figures", "points.csv"}
    assert not (project / "mlartifacts").exists()
