"""Multiruns and plans, as Hydra's callback: conf/config.yaml names it under `hydra.callbacks`.

A sweep has a folder `store/sweeps/<name>` with a file for each point that was begun. Results
themselves lie in the store under their keys, so a sweep that was killed computes only what is
missing, and two sweeps that share points share results.

The callback hands the points to Hydra's launcher itself and then ends the program. Hydra's basic
sweeper would compose every point once more, and where a launcher fails Hydra calls no callback
afterwards: there would be no table.
"""

import hashlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from ann2snn.config.checks import check_overrides, named
from ann2snn.config.composition import composed
from ann2snn.pipeline.application import asked_study, errors_end_the_program, tell_waiting
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import remaining
from ann2snn.pipeline.preflight import require_ready
from ann2snn.progress import Progress
from ann2snn.records import write_json
from ann2snn.settings import SettingError
from ann2snn.stopping import stops_stay_stops
from ann2snn.sweep.launchers import launch_all, run_point, runs_here, share_cores
from ann2snn.sweep.plan import print_plan
from ann2snn.sweep.points import axes_of, label_of, points_of
from ann2snn.sweep.table import (
    draw,
    forget,
    gathered,
    over_of,
    point_file,
    print_table,
    sweep_folder,
)


class SweepCallback(Callback):
    """Takes over every multirun of a step, and every run that asks for a plan.

    Hydra turns an exception of a callback into a warning and goes on, so every error ends the
    program here.
    """

    def __init__(self, step: str) -> None:
        self.step = step

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Prints the plan of a single run or a study if one is asked for, and ends the program."""
        if not config.run.plan:
            return
        with errors_end_the_program():
            overrides = list(config.hydra.overrides.task)
            if config.run.study:
                points = list(asked_study(config.run.study, overrides).points.values())
            else:
                points = [[line for line in overrides if not line.startswith("run.")]]
            print_plan(self.step, points)
        sys.exit(0)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Runs the sweep and ends the program: with 1 if a point is not done."""
        with errors_end_the_program():
            done = run_sweep(self.step, config)
        sys.exit(0 if done else 1)


def run_sweep(step: str, config: DictConfig) -> bool:
    """Runs every point of a sweep, prints the table, sends the results to MLflow.

    All points are composed and checked before any is run. True if every point is done, whatever
    became of the launcher.

    Raises:
        SettingError: a point or the sweep itself cannot be run; nothing has been computed then.
    """
    own, shared = _parted(config)
    run = composed(shared).run
    for toggle in ("study", "publish"):
        if getattr(run, toggle):
            raise SettingError(f"run.{toggle} is of a single call, not of a sweep")
    axes = axes_of(own)
    points = points_of(axes)
    if run.plan:
        print_plan(step, points)
        return True
    chains = []
    for point in points:
        with named(label_of(point, axes)):
            chains.append(Chain(composed(point)))
    for point, chain in zip(points, chains, strict=True):
        with named(label_of(point, axes)):
            require_ready(step, chain, here=runs_here(config))
    name = run.name or hashlib.sha256("\n".join([step, *sorted(own)]).encode()).hexdigest()[:8]
    print(f"{step} {name}: {remaining(step, chains)}", flush=True)
    forget(name, points)
    task = partial(run_point, step, name, share_cores(step, config, chains))
    try:
        files = {point_file(name, point): [*point, *shared] for point in points}
        counted = partial(over_of, files)
        with Progress("sweeping", len(files), "points", shown=run.progress, counted=counted):
            launch_all(config, files, task)
    finally:
        content = gathered(step, name, own, axes)
        write_json(sweep_folder(name) / "sweep.json", content)
        print_table(content)
    draw(content)
    if run.track:
        _track(run.progress)
    return all(point["status"] == "done" for point in content["points"])


def _parted(config: DictConfig) -> tuple[list[str], list[str]]:
    """The overrides that make the points, and those of `run` that all points share.

    Raises:
        SettingError: the sweeper or one of its parameters is not one that can be run.
    """
    sweeper = config.hydra.sweeper
    if not str(sweeper._target_).endswith(".BasicSweeper"):
        raise SettingError("hydra/sweeper must be basic: others choose their points as they go")
    configured = [f"{key}={value}" for key, value in (sweeper.params or {}).items()]
    check_overrides(configured)
    given = list(config.hydra.overrides.task)
    shared = [line for line in given if line.startswith("run.")]
    return [*configured, *(line for line in given if line not in shared)], shared


def _track(progress: bool) -> None:
    """Sends all records to MLflow; whatever is wrong there, they wait in the store."""
    from ann2snn.tracking.sync import sync

    try:
        with stops_stay_stops():
            print(sync(Path.cwd(), progress=progress))
    except Exception as error:  # MLflow and what it builds on raise errors of all kinds
        tell_waiting(error)
