"""Sweeps over a real Slurm: jobs that are requeued, killed, cancelled, out of time, never started.

The points train a small network on digits, which waits while there is a file `hold-N` of its job.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pipeline.project import (
    ROOT,
    environment,
    heed_all,
    make_project,
    result_files,
    stage_command,
)
from tests.system.one_machine_slurm import CPUS, Cluster, cluster

pytestmark = pytest.mark.system

PATIENT = """
import os, time
from pathlib import Path
from torch import nn

def make(shape, classes):
    number = os.environ.get("SLURM_ARRAY_TASK_ID", "0")
    while Path(f"hold-{number}").exists():
        time.sleep(0.2)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, classes))
"""
PATIENCE = 400.0


@pytest.fixture(scope="module")
def slurm() -> Iterator[Cluster]:
    with cluster() as own:
        yield own


class Sweep:
    """A sweep over seeds that was begun on a cluster."""

    def __init__(self, slurm: Cluster, project: Path, seeds: int, *more: str) -> None:
        self.slurm, self.project = slurm, project
        command = stage_command(
            "ann", "-m", "run.track=false", "run.name=s", "ann.network=patient:make",
            "ann.epochs=1", f"ann.seed=range(0,{seeds})", "hydra/launcher=submitit_slurm",
            "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1", *more,
        )  # fmt: skip
        modules = f"{ROOT / 'src'}{os.pathsep}{project}"
        self.process = subprocess.Popen(
            command, cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**slurm.environment, **environment(), "PYTHONPATH": modules},
            preexec_fn=heed_all,
        )  # fmt: skip

    def jobs(self) -> dict[str, tuple[str, str]]:
        """State and reason of its jobs that wait or run; others of the cluster are not its own."""
        return self.slurm.jobs(self.project)

    def array(self) -> str:
        """The number of the one array that it has in Slurm."""
        (number,) = {job.partition("_")[0] for job in self.jobs()}
        return number

    def states(self) -> list[str]:
        """What the points' files say, of those that were begun."""
        files = sorted((self.project / "store" / "sweeps" / "s" / "points").glob("*.json"))
        return [json.loads(file.read_text())["status"] for file in files]

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, (self.jobs(), self.states())
            time.sleep(0.3)

    def ended(self) -> tuple[int, str, str]:
        """Exit code and words."""
        told, said = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in said, said
        return self.process.returncode, told, said

    def table(self) -> list[tuple[str, str]]:
        """Status and error of every point."""
        path = self.project / "store" / "sweeps" / "s" / "sweep.json"
        points: list[dict[str, Any]] = json.loads(path.read_text())["points"]
        return [(point["status"], point["error"] or "") for point in points]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = make_project(tmp_path / "project")
    (folder / "patient.py").write_text(PATIENT, encoding="utf-8")
    return folder


def hold(project: Path, *numbers: int) -> None:
    for number in numbers:
        (project / f"hold-{number}").touch()


def let_go(project: Path, *numbers: int) -> None:
    for number in numbers:
        (project / f"hold-{number}").unlink()


def python_of(slurm: Cluster, array: str, number: int) -> list[psutil.Process]:
    """The process that computes a point."""
    names = {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": str(number)}
    found = [own for own in slurm.processes(**names) if own.name().startswith("python")]
    return [own for own in found if own not in [child for p in found for child in p.children()]]


def test_after_a_requeue_a_kill_and_a_cancellation_one_repeat_makes_the_table_whole(
    slurm: Cluster, project: Path
) -> None:
    hold(project, 0, 1, 2, 3)
    sweep = Sweep(slurm, project, 4)
    sweep.until(lambda: sweep.states() == ["begun"] * 4)
    array = sweep.array()
    assert slurm.asked("scontrol", "requeue", f"{array}_1") == ""
    (victim,) = python_of(slurm, array, 2)
    victim.kill()
    assert slurm.asked("scancel", f"{array}_3") == ""
    sweep.until(lambda: sweep.jobs().keys() == {f"{array}_0", f"{array}_1"})
    let_go(project, 0, 1, 2, 3)
    code, told, _ = sweep.ended()
    assert code == 1
    assert "2 of 4 points are not done; the same command goes on with them" in told
    done, requeued, killed, cancelled = sweep.table()
    assert done == requeued == ("done", "")
    log = f"store/submitit/{array}_2/{array}_2_0_log.err"
    assert killed == ("lost", f"Slurm job {array}_2 ended: FAILED; see {log}")
    assert cancelled[0] == "lost"
    assert cancelled[1].startswith(f"stopped by SIGTERM; Slurm job {array}_3 ended: CANCELLED; see")
    repeat = Sweep(slurm, project, 4)
    assert repeat.ended()[0] == 0
    assert repeat.table() == [("done", "")] * 4
    assert sum(path.startswith("ann/") for path in result_files(project)) == 4


def test_a_job_that_is_preempted_goes_on_by_itself(slurm: Cluster, project: Path) -> None:
    hold(project, 0)
    sweep = Sweep(slurm, project, 1, f"hydra.launcher.cpus_per_task={CPUS}")
    sweep.until(lambda: sweep.states() == ["begun"])
    urgent = ["--partition=urgent", f"--cpus-per-task={CPUS}", "--output=/dev/null"]
    assert "Submitted" in slurm.asked("sbatch", *urgent, "--wrap=true")
    sweep.until(lambda: sweep.states() == ["stopped"])
    let_go(project, 0)
    assert sweep.ended()[0] == 0
    assert sweep.table() == [("done", "")]


@pytest.mark.parametrize("requeues", [0, 1])
def test_a_job_whose_time_ends_goes_on_by_itself_or_by_the_same_command(
    requeues: int, slurm: Cluster, project: Path
) -> None:
    limits = ["hydra.launcher.timeout_min=2", "hydra.launcher.signal_delay_s=60"]
    hold(project, 0)
    sweep = Sweep(slurm, project, 1, *limits, f"hydra.launcher.max_num_timeout={requeues}")
    sweep.until(lambda: sweep.states() == ["begun"])
    sweep.until(lambda: sweep.states() == ["stopped"])
    let_go(project, 0)
    code, _, _ = sweep.ended()
    assert code == 1 - requeues
    if not requeues:
        ((state, error),) = sweep.table()
        assert state == "lost"
        assert error.startswith("stopped since the job's time in Slurm ends; Slurm job")
        assert Sweep(slurm, project, 1).ended()[0] == 0
    assert sweep.table() == [("done", "")]


def test_jobs_that_can_never_start_are_told_and_go_with_ctrl_c(
    slurm: Cluster, project: Path
) -> None:
    sweep = Sweep(slurm, project, 2, f"hydra.launcher.cpus_per_task={CPUS + 1}")
    sweep.until(lambda: len(sweep.jobs()) == 2)
    array = sweep.array()
    assert sweep.process.stderr is not None
    told = sweep.process.stderr.readline()
    while "may never start" not in told:
        told = sweep.process.stderr.readline()
    assert told.startswith(f"Slurm: job {array} waits (")
    sweep.process.send_signal(signal.SIGINT)
    code, table, said = sweep.ended()
    assert code == 130
    assert f"Slurm: job {array} is cancelled" in said
    assert "2 of 2 points are not done; the same command goes on with them" in table
    assert sweep.jobs() == {}


def test_what_slurm_does_not_take_is_told_in_its_words(slurm: Cluster, project: Path) -> None:
    sweep = Sweep(slurm, project, 1, "hydra.launcher.partition=nowhere")
    code, _, said = sweep.ended()
    assert code == 1
    assert "the launcher stopped: sbatch: error: invalid partition specified: nowhere" in said


def test_ctrl_c_leaves_no_job_that_runs(slurm: Cluster, project: Path) -> None:
    hold(project, 0, 1)
    sweep = Sweep(slurm, project, 2)
    sweep.until(lambda: sweep.states() == ["begun"] * 2)
    array = sweep.array()
    sweep.process.send_signal(signal.SIGINT)
    code, table, said = sweep.ended()
    assert code == 130
    assert f"Slurm: job {array} is cancelled" in said
    assert "2 of 2 points are not done" in table
    end = time.monotonic() + 60
    while sweep.jobs():
        assert time.monotonic() < end, sweep.jobs()
        time.sleep(0.5)
    assert sweep.states() == ["stopped"] * 2
