"""Points as an array of Slurm jobs, watched until each is over or has left Slurm.

submitit writes the jobs and hands them in. It would then wait for them one after the other, give up
all at the first that is lost, ask `sacct` alone, which a cluster without accounting does not
answer, and leave them to themselves when it is interrupted; so the waiting is done here.
"""

import dataclasses
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf

from ann2snn.records import known, write_json
from ann2snn.stopping import Stopped

States = dict[str, tuple[str, str]]  # state and reason of jobs, by their numbers

ENDED = (
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "REVOKED", "TIMEOUT", "unknown",
)  # fmt: skip
USUAL = (
    "None", "Priority", "Resources", "JobArrayTaskLimit", "BeginTime", "Cleaning", "Prolog",
    "Dependency", "Reservation",
)  # fmt: skip
GRACE = 10.0
"""Seconds for the file of a point whose job has ended: a shared folder shows it later, and a job
that was preempted or requeued may come back."""
SOONEST, LATEST = 2.0, 30.0
"""Seconds between two questions to Slurm, at first and later."""
ANSWERS_WITHIN = 30.0
CANCELS_WITHIN = 8.0  # a program that was told to stop has 15 s


def launch(launcher: Any, points: Mapping[Path, list[str]], first: int) -> None:
    """Hands in the points, whose files are the keys, and returns when all of them are over or lost.

    However this ends before, no job stays behind without a word.

    Raises:
        FailedJobError: Slurm does not take the jobs.
    """
    try:
        jobs = _handed_in(launcher, list(points.values()), first)
    except Stopped:
        name = launcher.params.get("name")
        _say(f"stopped while jobs were handed in: see squeue --me --name={name}")
        raise
    array = jobs[0].job_id.partition("_")[0]
    try:
        _watch(array, dict(zip(points, jobs, strict=True)))
    except BaseException:
        _cancel(array)
        raise


def _handed_in(launcher: Any, points: list[list[str]], first: int) -> list[Any]:
    """The jobs of all points: one array, as Hydra's launcher would hand it in."""
    import submitit

    settings = dict(launcher.params)
    folder = settings.pop("submitit_folder")
    executor = submitit.AutoExecutor(
        cluster="slurm", folder=folder,
        slurm_max_num_timeout=settings.pop("max_num_timeout", 0),
    )  # fmt: skip
    common = {own.name for own in dataclasses.fields(BaseQueueConf)}
    executor.update_parameters(
        **{name if name in common else f"slurm_{name}": own for name, own in settings.items()}
    )
    state = Singleton.get_state()
    calls = [
        (point, "hydra.sweep.dir", number, f"job_id_for_{number}", state)
        for number, point in enumerate(points, first)
    ]
    jobs: list[Any] = executor.map_array(launcher, *zip(*calls, strict=True))
    return jobs


def _watch(array: str, jobs: Mapping[Path, Any]) -> None:
    """Waits for the points; of each whose job has left Slurm before, its file says so."""
    begun = time.monotonic()
    asked, ended, told = begun, dict[Path, tuple[float, str]](), set[str]()
    while waiting := [file for file in jobs if not _is_over(file)]:
        time.sleep(1)
        now = time.monotonic()
        if now - asked < min(LATEST, max(SOONEST, (now - begun) / 20)):
            continue
        asked, states = now, states_of(array, told)
        if states is None:
            continue
        for file in waiting:
            state = _found(states, jobs[file].job_id)[0]
            since, first = ended.setdefault(file, (now, state))
            if state not in ENDED:
                del ended[file]
            elif now - since > GRACE and not _is_over(file):
                _write_down(file, jobs[file], first)
        _tell_hindered([_found(states, jobs[file].job_id) for file in waiting], array, told)


def _is_over(file: Path) -> bool:
    return known(file).get("status") in ("done", "failed", "lost")


def states_of(array: str, told: set[str]) -> States | None:
    """What Slurm knows of an array's jobs; None if it does not answer, which is told once.

    It forgets jobs some minutes after their end (MinJobAge).
    """
    command = ["squeue", "--noheader", "--array", "--states=all", f"--jobs={array}", "-o%i|%T|%r"]
    fault = f"no answer within {ANSWERS_WITHIN:g} s"
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=ANSWERS_WITHIN
        )
        if done.returncode == 0:
            told.discard("silent")
            lines = [line.split("|") for line in done.stdout.splitlines()]
            return {number: (state, reason) for number, state, reason in lines}
        fault = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        if "Invalid job id" in fault:
            return {}
    except subprocess.TimeoutExpired:
        pass
    except OSError as error:
        fault = str(error)
    if "silent" not in told:
        told.add("silent")
        _say(f"does not say how job {array} is ({fault}); waits for it")
    return None


def _found(states: States, number: str) -> tuple[str, str]:
    """State and reason of a job of an array, which stand under the array's own number as long as
    none of its jobs has begun; a job that Slurm has forgotten has ended."""
    return states.get(number) or states.get(number.partition("_")[0]) or ("unknown", "None")


def _write_down(file: Path, job: Any, state: str) -> None:
    """Lets a point's file say that its job has left Slurm, and how."""
    before = known(file)
    words = f"Slurm job {job.job_id} ended: {state}"
    log = job.paths.stderr
    if log.is_file():
        words += f"; see {log.relative_to(Path.cwd()) if log.is_relative_to(Path.cwd()) else log}"
    earlier = f"{before['error']}; " if before.get("error") else ""
    write_json(file, {**before, "status": "lost", "error": f"{earlier}{words}"})


def _tell_hindered(found: Iterable[tuple[str, str]], array: str, told: set[str]) -> None:
    """Tells once for each reason that jobs wait for something which may never come."""
    for reason in sorted({why for state, why in found if state == "PENDING"}):
        if reason not in USUAL and reason not in told:
            told.add(reason)
            _say(
                f"job {array} waits ({reason}) and may never start: does any node of the partition"
                " have what hydra.launcher asks for (cpus_per_task, mem_gb, gpus_per_node,"
                f" timeout_min)? scontrol show job {array} tells; Ctrl-C cancels it"
            )


def _cancel(array: str) -> None:
    """Cancels what is left of an array, or says how."""
    try:
        done = subprocess.run(
            ["scancel", array], capture_output=True, text=True, check=False, timeout=CANCELS_WITHIN
        )
        fault = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    if fault:
        _say(f"job {array} may run on ({fault}): scancel {array}")
    else:
        _say(f"job {array} is cancelled")


def _say(words: str) -> None:
    print(f"Slurm: {words}", file=sys.stderr, flush=True)
