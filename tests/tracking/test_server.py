import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ann2snn.tracking.answers import TrackingUnavailableError
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import sync
from ann2snn.tracking.ui import require_free
from tests.tracking.local_server import served
from tests.tracking.project_with_results import key_of, runs_of

CLOSED = "http://someone:secret@127.0.0.1:9"


def test_a_server_that_is_down_is_told_in_one_line_without_its_password(project: Path) -> None:
    with pytest.raises(TrackingUnavailableError) as told:
        sync(project, CLOSED)
    assert str(told.value).startswith("MLflow at http://127.0.0.1:9 does not answer")
    assert "python -m ann2snn.tracking sends them later" in str(told.value)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.timed
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


def test_a_uri_is_told_without_its_password(project: Path) -> None:
    with pytest.raises(ValueError, match=r"got 'postgresql://host/runs'$"):
        sync(project, "postgresql://someone:secret@host/runs")
    for slip in ("someone:secret@host:5000", "http:/someone:secret@host"):
        with pytest.raises(ValueError, match="must begin with") as told:
            sync(project, slip)
        assert "secret" not in str(told.value)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:no", "http://127.0.0.1:9/a b"])
def test_an_address_that_is_none_is_told_as_a_server_that_is_down(project: Path, uri: str) -> None:
    with pytest.raises(TrackingUnavailableError, match=r"does not answer \(.+\); results stay"):
        sync(project, uri)


def test_an_error_of_the_server_that_says_nothing_is_told_by_its_kind(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(place: object) -> None:
        from mlflow.exceptions import MlflowException

        raise MlflowException("")

    monkeypatch.setattr("ann2snn.tracking.sync.connect", refuse)
    with pytest.raises(TrackingUnavailableError, match=r"cannot be used \(MlflowException\)"):
        sync(project, "http://127.0.0.1:9")


def test_a_file_that_is_no_store_is_told_in_one_line(project: Path) -> None:
    (project / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(TrackingUnavailableError, match=r"mlflow\.db cannot be used \(") as told:
        sync(project)
    assert "\n" not in str(told.value)


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
        with pytest.raises(OSError, match=f"port {port} is taken: choose another with --port"):
            require_free(port)
    for none in (-1, 0, 70000):
        with pytest.raises(ValueError, match=f"the port must be from 1 to 65535, got {none}"):
            require_free(none)


@pytest.mark.system
def test_results_reach_a_server_once_and_with_their_artifacts(
    project: Path, tmp_path: Path, empty_store: Path
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    with served(folder) as uri:
        first = sync(project, uri)
        second = sync(project, uri)
        assert first.written == second.kept > 0
        run = runs_of(folder)["study/simulation/digits-percentiles"]
        files = connect(place_of(project, uri)).list_artifacts(run.info.run_id)
        assert {file.path for file in files} == {"figures", "points.csv"}
    assert not (project / "mlartifacts").exists()


@pytest.mark.system
def test_a_server_shows_the_artifacts_of_a_folder_that_was_copied(sent_copy: Path) -> None:
    run = runs_of(sent_copy)[key_of("ann")]
    with served(sent_copy) as uri:
        path = f"get-artifact?path=weights.safetensors&run_uuid={run.info.run_id}"
        with urllib.request.urlopen(f"{uri}/{path}", timeout=60) as answer:
            assert answer.read() == b"weights"
