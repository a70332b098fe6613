"""A sweep over all combinations of values: every point is known, and checked, before any is run."""

from functools import partial

from omegaconf import DictConfig

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.outlook import remaining
from ann2snn.pipeline.preflight import require_all_ready
from ann2snn.progress import Progress
from ann2snn.records import write_json
from ann2snn.sweep.asked import asked_of, name_of
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


def run_sweep(step: str, config: DictConfig) -> bool:
    """Runs every point of a sweep and prints the table. True if every point is done, whatever
    became of the launcher.

    Raises:
        SettingError: a point or the sweep itself cannot be run; nothing has been computed then.
    """
    asked = asked_of(config)
    axes = axes_of(asked.own)
    points = points_of(axes)
    if asked.run.plan:
        print_plan(step, points)
        return True
    chains = []
    for point in points:
        with named(label_of(point, axes)):
            chains.append(Chain(composed(point)))
    labels = [label_of(point, axes) for point in points]
    require_all_ready(step, list(zip(labels, chains, strict=True)), here=runs_here(config))
    name = name_of(asked.run, [step, *sorted(asked.own)])
    print(f"{step} {name}: {remaining(step, chains)}", flush=True)
    forget(name, points)
    task = partial(run_point, step, name, share_cores(step, config, chains))
    try:
        files = {point_file(name, point): [*point, *asked.shared] for point in points}
        counted = partial(over_of, files)
        with Progress("sweeping", len(files), "points", shown=asked.run.progress, counted=counted):
            launch_all(config, files, task)
    finally:
        content = gathered(step, name, asked.own, axes)
        write_json(sweep_folder(name) / "sweep.json", content)
        print_table(content)
    draw(content)
    return all(point["status"] == "done" for point in content["points"])
