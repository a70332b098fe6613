"""`mlflow models serve` over a network that the pipeline converted, asked by HTTP."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ann2snn
from ann2snn.spec import load_spec
from ann2snn.tracking.sync import sync
from tests.pipeline.project import ROOT, environment, make_project, run_stage
from tests.tracking.local_server import free_port

SECONDS = 180.0

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the digits network of git, converted and simulated, and sent to MLflow."""
    folder = make_project(tmp_path_factory.mktemp("served") / "project")
    for step in ("data", "ann"):
        shutil.copytree(
            ROOT / "artifacts" / step / "digits", folder / "artifacts" / step / "digits"
        )
    quick = ["simulation.steps=12", "simulation.images=20", "run.track=false"]
    done = run_stage(folder, "simulation", "data=digits", *quick)
    assert done.returncode == 0, done.stderr
    assert sync(folder, f"sqlite:///{folder}/mlflow.db").models == 1
    return folder


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    """The address of the served model, on this machine only."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/digits_cnn/1"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # has uvicorn
    named = {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db", "PATH": path}
    with (
        (project / "serve.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=project, env={**environment(), **named}, stdout=log, stderr=log,
            start_new_session=True,
        ) as server,
    ):  # fmt: skip
        try:
            wait_for(f"http://127.0.0.1:{port}/ping", server)
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)


def wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.5)
    raise TimeoutError(f"{address} does not answer in {SECONDS:g} s")


def asked(address: str, **content: Any) -> Any:
    """What the server answers to a JSON request."""
    request = urllib.request.Request(
        address, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["predictions"]


def test_a_served_model_answers_real_images_as_simulate_does(project: Path, address: str) -> None:
    (stored,) = project.glob("store/data/*/test_images.npy")
    (kept,) = project.glob("store/conversion/*/spec.safetensors")
    images = np.load(stored, allow_pickle=False)[:12]
    spec = load_spec(kept)
    result = ann2snn.simulate(spec, images, steps=60)
    wanted = [{"answer": answer, "steps": 60} for answer in result.answers.tolist()]
    assert asked(address, inputs=images.tolist(), params={"steps": 60}) == wanted
    early = ann2snn.simulate(spec, images, steps=60, exit_margin=2.0)
    assert early.taken is not None
    wanted = [
        {"answer": answer, "steps": steps}
        for answer, steps in zip(early.answers.tolist(), early.taken.tolist(), strict=True)
    ]
    margin = {"steps": 60, "exit_margin": 2.0}
    assert asked(address, inputs=images.tolist(), params=margin) == wanted
    assert early.taken.min() < 60
    one = ann2snn.simulate(spec, images[:1])
    assert asked(address, inputs=images[:1].tolist()) == [
        {"answer": int(one.answers[0]), "steps": 300}
    ]


def test_a_served_model_says_what_is_wrong_with_pixels(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        asked(address, inputs=np.full((1, 1, 8, 8), 0.5).tolist())
    assert refused.value.code == 400
    assert "whole numbers k in [0, 16]" in refused.value.read().decode()
