"""Servers as people run them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ann2snn.tracking.answers import TrackingUnavailableError
from ann2snn.tracking.keyed_runs import runs_by_key, start_run
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import sync
from tests.tracking.converted_network import RECORD, store_network
from tests.tracking.local_server import Server, require_each_once, runs_on
from tests.tracking.project_with_results import RUNS, ann_record, key_of, make_project

pytestmark = pytest.mark.system


@pytest.mark.parametrize("location", ["folder", "proxied"])
def test_artifacts_lie_where_the_server_says(location: str, tmp_path: Path) -> None:
    project, store = make_project(tmp_path / "project"), tmp_path / "server"
    options = {
        "folder": ["--no-serve-artifacts", "--default-artifact-root", str(store / "kept")],
        "proxied": ["--artifacts-destination", str(store / "kept")],
    }[location]
    with Server(store, "--backend-store-uri", f"sqlite:///{store}/db", *options) as server:
        assert sync(project, server.uri).written == RUNS
        assert sync(project, server.uri).kept == RUNS
        require_each_once(server.uri, RUNS)
        (trained,) = [r for r in runs_on(server.uri) if r.data.tags["run_key"] == key_of("ann")]
        client = connect(place_of(project, server.uri))
        fetched = client.download_artifacts(trained.info.run_id, "weights.safetensors")
        assert Path(fetched).read_bytes() == b"weights"
        store_network(project)
        assert sync(project, server.uri).models == sync(project, server.uri).models == 1
        (version,) = client.search_model_versions("name = 'digits_cnn'")
        assert version.tags["run_key"] == RECORD.key
    assert len(list((store / "kept").rglob("weights.safetensors"))) == 1
    assert len(list((store / "kept").rglob("artifacts/spec.safetensors"))) == 1
    assert not (project / "mlartifacts").exists()


def test_a_password_in_the_address_opens_the_server_and_a_wrong_one_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("flask_wtf", reason="mlflow[auth] is not installed")
    project, store = tmp_path / "project", tmp_path / "server"
    ann_record().write(project / "artifacts" / "ann" / "digits" / "record.json")
    options = ["--app-name", "basic-auth", "--backend-store-uri", f"sqlite:///{store}/db"]
    settings = store / "auth.ini"
    store.mkdir()
    settings.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{store}/auth\n"
        "admin_username = admin\nadmin_password = p@ss/word-12345\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    secrets = {"MLFLOW_AUTH_CONFIG_PATH": str(settings), "MLFLOW_FLASK_SERVER_SECRET_KEY": "x"}
    with Server(store, *options, **secrets) as server:
        host = server.uri.removeprefix("http://")
        for signs in ("", "admin:wrong@"):
            with pytest.raises(TrackingUnavailableError, match="does not accept the user name"):
                sync(project, f"http://{signs}{host}")
        done = subprocess.run(
            [sys.executable, "-m", "ann2snn.tracking"], cwd=project, capture_output=True, text=True,
            env={**os.environ, "MLFLOW_TRACKING_URI": f"http://admin:p%40ss%2Fword-12345@{host}"},
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"MLflow http://{host}: 1 runs written" in done.stdout
    assert "word-12345" not in done.stdout + done.stderr + "".join(capfd.readouterr())
    assert "View run" not in done.stdout


def test_clients_that_start_one_key_at_once_keep_one_run(tmp_path: Path) -> None:
    store = tmp_path / "server"
    with Server(store, "--backend-store-uri", f"sqlite:///{store}/db") as server:
        client = connect(place_of(tmp_path, server.uri))
        home = client.create_experiment("races")
        found: list[str] = []

        def start(number: int) -> None:
            for turn in range(5):
                start_run(client, home, f"key-{turn}", "run", 1000 - number, f"client-{number}")
            found.append("")

        threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert set(runs_by_key(client, [home])) == {f"key-{turn}" for turn in range(5)}
        assert len(client.search_runs([home])) == 5
