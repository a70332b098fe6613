"""A project folder for tests: real code, real configuration, its own results."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from ann2snn.records import Record

ROOT = Path(__file__).parents[2]
QUICK = ["ann.epochs=1", "simulation.steps=12", "simulation.images=60"]


def make_project(folder: Path) -> Path:
    """A copy of conf/ and params.yaml; the code is that of the checkout."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    return folder


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}


def heed_all() -> None:
    """Signals as a terminal's programs have them, whatever runs the tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def stage_command(step: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"ann2snn.pipeline.{step}", *arguments]


def run_stage(project: Path, step: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a stage to its end; the caller looks at the exit code."""
    return subprocess.run(
        stage_command(step, *arguments),
        cwd=project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def result_files(project: Path) -> dict[str, bytes]:
    """The deterministic records of a store, by path."""
    store = project / "store"
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.glob("*/*/record.json"))
    }


def record(**metrics: float) -> Record:
    """A simulation with these metrics and nothing else."""
    return Record("simulation", "k" * 64, {}, {}, {}, dict(metrics), {}, {})
