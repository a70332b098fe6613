"""Multiruns and plans, as Hydra's callback: conf/config.yaml names it under `hydra.callbacks`.

A sweep has a folder `store/sweeps/<name>` with a file for each point that was begun. Results
themselves lie in the store under their keys, so a sweep that was killed computes only what is
missing, and two sweeps that share points share results.

The callback hands the points to Hydra's launcher itself and then ends the program. Hydra's basic
sweeper would compose every point once more, and where a launcher fails Hydra calls no callback
afterwards: there would be no table.
"""

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from ann2snn.pipeline.application import asked_study, errors_end_the_program, tell_waiting
from ann2snn.settings import SettingError
from ann2snn.stopping import stops_stay_stops
from ann2snn.sweep.asked import as_given
from ann2snn.sweep.grid import run_sweep
from ann2snn.sweep.plan import print_plan
from ann2snn.sweep.search import run_search

SWEEPERS = {"BasicSweeper": run_sweep, "run_search": run_search}


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
            overrides = as_given(config.hydra.overrides.task)
            if config.run.study:
                points = list(asked_study(config.run.study, overrides).points.values())
            else:
                points = [[line for line in overrides if not line.startswith("run.")]]
            print_plan(self.step, points)
        sys.exit(0)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Runs the sweep or the search, sends the results to MLflow and ends the program: with 1 if
        a point is not done."""
        with errors_end_the_program():
            sweeper = str(config.hydra.sweeper._target_).rpartition(".")[2]
            if sweeper not in SWEEPERS:
                raise SettingError(
                    f"hydra/sweeper must be one of basic, optuna, got {sweeper}: others do not take"
                    " results from the store"
                )
            done = SWEEPERS[sweeper](self.step, config)
            if config.run.track and not config.run.plan:
                _track(config.run.progress)
        sys.exit(0 if done else 1)


def _track(progress: bool) -> None:
    """Sends all records to MLflow; whatever is wrong there, they wait in the store."""
    from ann2snn.tracking.sync import sync

    try:
        with stops_stay_stops():
            print(sync(Path.cwd(), progress=progress))
    except Exception as error:  # MLflow and what it builds on raise errors of all kinds
        tell_waiting(error)
