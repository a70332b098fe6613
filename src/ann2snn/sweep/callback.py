"""Multiruns: the points of a sweep, what of them is done, and the table at the end.

A sweep has a folder `store/sweeps/<name>` with a file for each point that was begun. Results
themselves lie in the store under their keys, so a sweep that was killed computes only what is
missing, and two sweeps that share points share results.
"""

import dataclasses
import hashlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ann2snn.config.overrides import first_line, is_hydras, parsed
from ann2snn.config.schema import (
    RunSettings,
    Settings,
    check_overrides,
    composed,
    composed_hydra,
    typed,
)
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.preflight import require_ready, trains
from ann2snn.records import Json, write_json
from ann2snn.settings import SettingError
from ann2snn.simulation.settings import available_cores
from ann2snn.sweep.plan import print_plan
from ann2snn.sweep.points import axes_of, label_of, named, points_of
from ann2snn.sweep.table import (
    HEADLINES,
    draw,
    gathered,
    line_of,
    point_file,
    print_table,
    sweep_folder,
)

JOBLIB = "JoblibLauncher"
ON_THIS_MACHINE = ("BasicLauncher", JOBLIB, "LocalLauncher")


def run_multirun(step: str, overrides: list[str], launch: Callable[[], None]) -> int:
    """Runs every point of a sweep through Hydra's launcher, prints its table, sends it to MLflow.

    All points are composed and checked before any is run. Returns the exit code: 1 if a point is
    not done, whatever became of the launcher.

    Raises:
        SettingError: a point or the sweep itself cannot be run; nothing has been computed then.
    """
    own, run, hydra = _parted(overrides)
    axes = axes_of(own)
    points = points_of(axes)
    chains = []
    for point in points:
        with named(label_of(point, axes)):
            chains.append(Chain(composed(point)))
    if run.plan:
        print_plan(step, points)
        return 0
    launcher = str(hydra.launcher._target_).rpartition(".")[2]
    for point, chain in zip(points, chains, strict=True):
        with named(label_of(point, axes)):
            require_ready(step, chain, here=launcher in ON_THIS_MACHINE)
    name = run.name or hashlib.sha256("\n".join([step, *sorted(own)]).encode()).hexdigest()[:8]
    if not run.name:
        sys.argv.append(f"run.name='{name}'")  # quoted: eight digits would be a number
    if launcher == JOBLIB and hydra.launcher.n_jobs == -1:
        sys.argv.append(f"hydra.launcher.n_jobs={jobs_that_fit(step, chains)}")
    _forget(name, points)
    try:
        _launch_all(launch, [point_file(name, point) for point in points], launcher)
    finally:
        content = gathered(step, name, own, axes)
        write_json(sweep_folder(name) / "sweep.json", content)
        print_table(content)
    draw(content)
    if run.track:
        track()
    return 1 if any(point["status"] != "done" for point in content["points"]) else 0


def _launch_all(launch: Callable[[], None], files: list[Path], launcher: str) -> None:
    """Launches the points, each of which begins by writing its file. Where one takes the processes
    of all with it, as a killed one does for joblib, those not yet begun are launched again."""
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises errors instead of exiting
    left = len(files)
    while left > 0:
        before = left
        try:
            launch()
            left = 0
        except (Exception, SystemExit) as error:  # a point's own errors do not come this far
            print(f"the launcher stopped: {first_line(error)}", file=sys.stderr, flush=True)
            if os.environ.get("ANN2SNN_TRACEBACK"):
                traceback.print_exc()
            left = sum(not path.is_file() for path in files)
        if launcher != JOBLIB or left == before:
            return


def _parted(overrides: list[str]) -> tuple[list[str], RunSettings, Any]:
    """The overrides that make the points, how the sweep is run, and Hydra's settings for it.

    Raises:
        SettingError: Hydra knows no such setting, or one is not for a sweep.
    """
    parts: dict[str, list[str]] = {"own": [], "run": [], "hydra": []}
    for line in overrides:
        override = parsed(line)
        shared = "run" if str(override.key_or_group).startswith("run.") else "own"
        parts["hydra" if is_hydras(override) else shared].append(line)
    hydra = composed_hydra(parts["hydra"])
    if not str(hydra.sweeper._target_).endswith(".BasicSweeper"):
        raise SettingError("hydra/sweeper must be basic: others choose their points as they go")
    configured = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    check_overrides(configured)
    run = composed(parts["run"]).run
    for toggle in ("study", "publish"):
        if getattr(run, toggle):
            raise SettingError(f"run.{toggle} is of a single call, not of a sweep")
    return [*configured, *parts["own"]], run, hydra


def jobs_that_fit(step: str, chains: list[Chain]) -> int:
    """Points at once on this machine's cores: the threads of a training shape its result, so they
    are not divided; all else takes its share of the cores."""
    threads = [chain.settings.ann.threads for chain in chains if trains(step, chain)]
    return max(1, min(len(chains), available_cores() // max(threads, default=1)))


def _forget(name: str, points: list[list[str]]) -> None:
    """Removes what an earlier sweep of this name said of the same points."""
    drawn = [sweep_folder(name) / f"sweep.{kind}" for kind in ("csv", "png", "svg")]
    for path in [*drawn, *(point_file(name, point) for point in points)]:
        path.unlink(missing_ok=True)


def run_point(step: str, config: DictConfig, overrides: list[str]) -> None:
    """Computes one point and writes its file; a failure is written down and goes no further."""
    own = [line for line in overrides if not line.startswith("run.")]
    path = point_file(str(config.run.name), own)
    if path.is_file() and str(HydraConfig.get().launcher._target_).endswith(JOBLIB):
        return  # from before the launch was repeated; other launchers may requeue a point
    content: Json = {
        "overrides": own, "status": "begun", "key": None, "value": None, "error": None,
    }  # fmt: skip
    write_json(path, content)
    try:
        chain = Chain(_alone_on_its_cores(typed(config)))
        require_ready(step, chain)
        record = chain.record(step)
        value = record.metrics.get(HEADLINES.get(step, ""))
        content |= {"status": "done", "key": record.key, "value": value}
        print(f"{' '.join(own)}: {line_of(record)}", flush=True)
    except (Exception, SystemExit) as error:
        if not isinstance(error, SettingError | ValueError | OSError):
            traceback.print_exc()
        content |= {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        print(f"{' '.join(own)}: failed: {error}", file=sys.stderr, flush=True)
    write_json(path, content)


def _alone_on_its_cores(settings: Settings) -> Settings:
    """The settings with the threads that are this point's where a launcher runs several at once."""
    jobs = int(HydraConfig.get().launcher.get("n_jobs") or 1)
    cores = available_cores()
    if jobs < 0:  # joblib counts from the end: -1 are all cores
        jobs = max(1, cores + 1 + jobs)
    threads = settings.simulation.threads or (max(1, cores // jobs) if jobs > 1 else 0)
    simulation = dataclasses.replace(settings.simulation, threads=threads)
    return dataclasses.replace(settings, simulation=simulation)


def track() -> None:
    """Sends all records to MLflow; whatever is wrong there, they wait in the store."""
    from ann2snn.tracking.sync import sync

    try:
        print(sync(Path.cwd()))
    except Exception as error:  # MLflow and what it builds on raise errors of all kinds
        tell_waiting(error)


def tell_waiting(error: Exception) -> None:
    """One line for records that MLflow does not take now."""
    print(
        f"not sent to MLflow: {first_line(error)}; the records wait for python -m ann2snn.tracking",
        file=sys.stderr,
    )
