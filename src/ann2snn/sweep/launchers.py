"""Points through Hydra's launchers: how many at once, on which cores, and again after a kill."""

import dataclasses
import itertools
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.experimental.callback import Callback
from hydra.types import HydraContext
from omegaconf import DictConfig

from ann2snn.config.composition import typed
from ann2snn.config.overrides import first_line
from ann2snn.errors import told
from ann2snn.pipeline.application import HEADLINES, line_of
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.preflight import require_ready, trains
from ann2snn.records import Json, write_json
from ann2snn.simulation.settings import available_cores
from ann2snn.stopping import Stopped, end_with_parent, stops_stay_stops
from ann2snn.sweep.asked import as_given
from ann2snn.sweep.slurm_job import heed_slurm, is_slurm_job
from ann2snn.sweep.table import point_file

JOBLIB, SLURM = "JoblibLauncher", "SlurmLauncher"
ON_THIS_MACHINE = ("BasicLauncher", JOBLIB, "LocalLauncher")
Task = Callable[[DictConfig], None]


def _kind(config: DictConfig) -> str:
    return str(config.hydra.launcher._target_).rpartition(".")[2]


def runs_here(config: DictConfig) -> bool:
    """Whether the configured launcher runs its points on this machine."""
    return _kind(config) in ON_THIS_MACHINE


def share_cores(step: str, config: DictConfig, chains: list[Chain]) -> int:
    """Sets joblib's number of jobs where it is left open, and gives the threads that fall to the
    simulation of each point; 0 leaves it all cores."""
    launcher, cores = config.hydra.launcher, available_cores()
    if _kind(config) == JOBLIB and launcher.n_jobs == -1:
        launcher.n_jobs = jobs_that_fit(step, chains)
    jobs = int(launcher.get("n_jobs") or 1)
    if jobs < 0:  # joblib counts from the end: -2 are all cores but one
        jobs = max(1, cores + 1 + jobs)
    return max(1, cores // jobs) if jobs > 1 else 0


def jobs_that_fit(step: str, chains: list[Chain]) -> int:
    """Points at once on this machine's cores: the threads of a training shape its result, so they
    are not divided; all else takes its share of the cores."""
    threads = [chain.settings.ann.threads for chain in chains if trains(step, chain)]
    return max(1, min(len(chains), available_cores() // max(threads, default=1)))


def launch_all(config: DictConfig, points: Mapping[Path, list[str]], task: Task) -> None:
    """Launches the points, each of which begins by writing its file. A killed process takes those
    of all other points with it under joblib; there the points not yet begun are launched again."""
    left = dict(points)
    while left:
        before = len(left)
        try:
            with stops_stay_stops():
                launch(config, left, task)
        except (Exception, SystemExit) as error:  # a point's own errors do not come this far
            print(f"error: the launcher stopped: {first_line(error)}", file=sys.stderr, flush=True)
            if os.environ.get("ANN2SNN_TRACEBACK"):
                traceback.print_exc()
        left = {file: point for file, point in left.items() if not file.is_file()}
        if _kind(config) != JOBLIB or len(left) == before:
            return


def launch(config: DictConfig, points: Mapping[Path, list[str]], task: Task) -> None:
    """Runs `task` for all points by the configured launcher, in the sweeper's batches."""
    if _kind(config) == JOBLIB:
        _bind_workers()
    context = HydraContext(GlobalHydra.instance().config_loader(), cast(Any, Callback()))
    launcher = Plugins.instance().instantiate_launcher(context, task, config)
    size = config.hydra.sweeper.get("max_batch_size") or len(points)
    for first in range(0, len(points), size):
        batch = dict(itertools.islice(points.items(), first, first + size))
        if _kind(config) == SLURM:
            from ann2snn.sweep import slurm

            slurm.launch(launcher, batch, first)
        else:
            launcher.launch(list(batch.values()), initial_job_idx=first)


def _bind_workers() -> None:
    """Lets joblib's workers end with this process from their first moment on: one that waits for
    its first point would outlive a kill by five minutes."""
    from joblib import register_parallel_backend
    from joblib.parallel import LokyBackend

    def backend(**given: Any) -> Any:
        return LokyBackend(initializer=end_with_parent, initargs=(os.getpid(),), **given)

    register_parallel_backend("loky", backend)


def run_point(step: str, name: str, threads: int, config: DictConfig) -> None:
    """Computes one point of the sweep `name` and writes its file; a failure is written down and
    goes no further. `threads` are for a simulation that does not set its own."""
    given = as_given(HydraConfig.get().overrides.task)
    own = [line for line in given if not line.startswith("run.")]
    path = point_file(name, own)
    content: Json = {
        "overrides": own, "status": "begun", "key": None, "value": None, "error": None,
    }  # fmt: skip
    write_json(path, content)
    if is_slurm_job():
        heed_slurm()
    try:
        with stops_stay_stops():
            settings = typed(config)
            # of points that share this terminal only the sweep itself shows how far it is
            alone = dataclasses.replace(
                settings.run, progress=settings.run.progress and not threads
            )
            threads = settings.simulation.threads or threads
            simulation = dataclasses.replace(settings.simulation, threads=threads)
            chain = Chain(dataclasses.replace(settings, simulation=simulation, run=alone))
            require_ready(step, chain)
            record = chain.record(step)
            value = record.metrics.get(HEADLINES.get(step, ""))
            content |= {"status": "done", "key": record.key, "value": value}
            print(f"{' '.join(own)}: {line_of(record)}", flush=True)
    except (Exception, SystemExit) as error:
        reason = told(error)
        if reason is None:
            traceback.print_exc()
        content |= {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        print(f"{' '.join(own)}: failed: {reason or error}", file=sys.stderr, flush=True)
    except Stopped as stop:
        write_json(path, {**content, "status": "stopped", "error": str(stop)})
        raise
    write_json(path, content)
