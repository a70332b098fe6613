"""Servers that keep artifacts in S3: clients bring them there, or the server does."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ann2snn.tracking.answers import LATER
from ann2snn.tracking.runs import read_entries
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import sync
from tests.tracking.converted_network import RECORD, store_network
from tests.tracking.faulty_server import Handler, answering
from tests.tracking.local_s3 import DIRECT, PROXIED, S3, SECRET, s3_server
from tests.tracking.local_server import Server, require_each_once, runs_on
from tests.tracking.project_with_results import RUNS, key_of, make_project

pytestmark = pytest.mark.system
MAIN = "from ann2snn.tracking.__main__ import main; main()"
PATIENCE = 300.0  # seconds, on a machine with much other work
ALL = 3  # active and deleted runs, as MLflow's view type


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    with s3_server() as server:
        server.make_bucket()
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with figures, tables, weights and a network to log."""
    folder = make_project(tmp_path / "project")
    store_network(folder)
    return folder


def server_in(folder: Path, *options: str, **environment: str) -> Server:
    return Server(folder, "--backend-store-uri", f"sqlite:///{folder}/db", *options, **environment)


def sending(project: Path, uri: str, before: str = "", **environment: str) -> Any:
    """A process that sends a project's results, after the statements `before`."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{before}\n{MAIN}", "--uri", uri], cwd=project, text=True,
        env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def said(process: Any) -> str:
    """The one line of a process that fails, and then ends at once."""
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    err = ""
    for line in process.stderr:
        err += line
        if line.startswith("error: "):
            break
    told = time.monotonic()
    out, more = process.communicate()
    watch.cancel()
    assert time.monotonic() - told < 15
    err += more
    lines = [line for line in err.splitlines() if not line.startswith(("sending", "MLflow: "))]
    assert (process.returncode, out, len(lines)) == (1, "", 1), out + err
    assert SECRET not in err
    assert lines[0].endswith(f"; {LATER}")
    return str(lines[0])


def require_whole(s3: S3, project: Path, uri: str) -> None:
    """Passes if the bucket has all artifacts of the runs, byte for byte, and one model."""
    there = set(s3.names())
    models = {name for name in there if "/models/" in name}
    homes = {run.data.tags["run_key"]: run.info for run in runs_on(uri)}
    runs = {key: f"{info.experiment_id}/{info.run_id}" for key, info in homes.items()}
    wanted = {
        f"runs/{runs[entry.key]}/artifacts/{name}": file
        for entry in read_entries(project)
        for name, file in entry.files.items()
    }
    assert there - models == set(wanted)
    for name, file in wanted.items():
        assert s3.content(name) == (file if isinstance(file, bytes) else file.read_bytes())
    (spec,) = [name for name in models if name.endswith("/artifacts/artifacts/spec.safetensors")]
    own = project / "store" / "conversion" / RECORD.key / "spec.safetensors"
    assert s3.content(spec) == own.read_bytes()
    assert len({name.partition("/artifacts/")[0] for name in models}) == 1


@pytest.mark.parametrize("options", [DIRECT, PROXIED], ids=["direct", "proxied"])
def test_artifacts_come_back_from_s3_and_a_repeat_sends_none(
    options: tuple[str, ...], s3: S3, project: Path, tmp_path: Path
) -> None:
    with server_in(tmp_path / "server", *options) as server:
        first = sync(project, server.uri)
        assert (first.written, first.models) == (RUNS, 1)
        require_each_once(server.uri, RUNS)
        require_whole(s3, project, server.uri)
        client = connect(place_of(project, server.uri))
        (trained,) = [r for r in runs_on(server.uri) if r.data.tags["run_key"] == key_of("ann")]
        fetched = client.download_artifacts(trained.info.run_id, "weights.safetensors")
        assert Path(fetched).read_bytes() == b"weights"
        s3.stop()
        again = sync(project, server.uri)
        s3.start()
        assert (again.kept, again.models) == (RUNS, 1)


@pytest.mark.parametrize("options", [DIRECT, PROXIED], ids=["direct", "proxied"])
def test_a_sync_that_is_killed_and_one_that_s3_leaves_end_in_the_same_store(
    options: tuple[str, ...], s3: S3, project: Path, tmp_path: Path
) -> None:
    with server_in(tmp_path / "server", *options) as server:
        killed = sending(project, server.uri)
        wait_until(lambda: len(s3.names()) >= 8)
        killed.kill()
        killed.communicate()
        assert killed.returncode == -9
        left = sending(project, server.uri)
        wait_until(lambda: len(s3.names()) >= 20)
        s3.stop()
        assert "not take" in said(left)
        s3.start()
        assert sync(project, server.uri).models == 1
        require_each_once(server.uri, RUNS)
        require_whole(s3, project, server.uri)
        assert len(runs_on(server.uri, ALL)) == RUNS


def wait_until(happened: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("root", "module", "package"),
    [
        ("s3://bucket/runs", "boto3", "boto3"),
        ("gs://bucket/runs", "google.cloud.storage", "google-cloud-storage"),
    ],
)
def test_a_package_that_the_client_lacks_is_told_before_any_run_begins(
    root: str, module: str, package: str, project: Path, tmp_path: Path
) -> None:
    store, absent = tmp_path / "server", f"import sys; sys.modules[{module!r}] = None"
    with server_in(store, "--no-serve-artifacts", "--default-artifact-root", root) as server:
        line = said(sending(project, server.uri, absent))
        assert f"in {root}/" in line
        assert f", for which {package} is not installed here: pip install {package};" in line
        assert runs_on(server.uri, ALL) == []


def test_a_server_that_cannot_store_artifacts_ends_a_sync_at_the_first(
    project: Path, tmp_path: Path
) -> None:
    nowhere = {"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a-key"}
    nowhere |= {"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    with server_in(tmp_path / "server", *PROXIED, **nowhere) as server:
        line = said(sending(project, server.uri))
        assert f"error: MLflow at {server.uri} does not take artifacts (" in line
        assert "too many 500 error responses" in line
        assert len(runs_on(server.uri)) < RUNS / 2


def test_what_is_wrong_with_s3_is_told_in_one_line_and_mended_by_a_repeat(
    s3: S3, project: Path, tmp_path: Path
) -> None:
    with server_in(tmp_path / "server", *DIRECT) as server:
        place = f"MLflow at {server.uri} keeps artifacts in s3://bucket, which does not take them"
        closed = f"http://me:{SECRET}@127.0.0.1:9"
        line = said(sending(project, server.uri, MLFLOW_S3_ENDPOINT_URL=closed))
        assert f'{place} (Could not connect to the endpoint URL: "http://127.0.0.1:9/' in line
        line = said(sending(project, server.uri, MLFLOW_S3_ENDPOINT_URL=f"me:{SECRET}@host:9"))
        assert f"{place} (Invalid endpoint: host:9);" in line
        none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        line = said(sending(project, server.uri, AWS_EC2_METADATA_DISABLED="true", **none))
        assert f"{place} (Unable to locate credentials);" in line
        s3.ask("reset-auth", b"0")
        assert "(InvalidAccessKeyId)" in said(sending(project, server.uri))
        s3.ask("reset-auth", b"1000000")
        s3.ask("reset")
        line = said(sending(project, server.uri))
        assert f"{place} (Failed to upload " in line
        assert "(NoSuchBucket)" in line
        assert tempfile.gettempdir() not in line
        s3.make_bucket()
        assert sync(project, server.uri).models == 1
        require_each_once(server.uri, RUNS)
        require_whole(s3, project, server.uri)


def test_an_s3_that_is_silent_holds_neither_a_sync_nor_its_end(
    s3: S3, project: Path, tmp_path: Path
) -> None:
    def never(handler: Handler) -> None:
        time.sleep(300)

    sooner = "from ann2snn.tracking import artifacts; artifacts.CALL_WITHIN = 2.0"
    with answering(never) as host, server_in(tmp_path / "server", *DIRECT) as server:
        silent = sending(project, server.uri, sooner, MLFLOW_S3_ENDPOINT_URL=f"http://{host}")
        assert "s3://bucket, which does not take them (not within 2 s);" in said(silent)
