"""One Hydra application a step: a single run, all points of a study, or a multirun.

Overrides are checked before Hydra composes and before anything heavy is imported.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import hydra
from hydra._internal.utils import get_args
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ann2snn.config.overrides import conf_folder
from ann2snn.config.schema import (
    Settings,
    check_overrides,
    composed,
    register_schema,
    typed,
)
from ann2snn.pipeline.artifacts import keep_point, publish_result, publish_study
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.preflight import require_ready
from ann2snn.pipeline.studies import study_chains
from ann2snn.pipeline.study_file import read_study
from ann2snn.settings import SettingError
from ann2snn.sweep import multirun as sweep
from ann2snn.sweep.plan import print_plan
from ann2snn.sweep.points import named
from ann2snn.sweep.table import line_of

MISUSED = 2
FAILED = 1


def run(step: str) -> None:
    """Runs `step` as the command line says; exits with 2 after a wrong override, 1 after a failure.

    Messages about data, files and settings are one line; anything else is a fault of the program
    and keeps its traceback.
    """
    # conf/hydra/launcher sets launchers of Hydra's plugins by their own names, as it must
    warnings.filterwarnings("ignore", r"\s*'hydra/launcher/\w+' is validated against", UserWarning)
    flags = get_args()  # by Hydra's own parser, which ends the program after a wrong flag
    try:
        _run(step, flags)
    except (SettingError, OSError, ValueError) as error:
        _leave(error, MISUSED if isinstance(error, SettingError) else FAILED)


def _run(step: str, flags: argparse.Namespace) -> None:
    folder, overrides = conf_folder(), list(flags.overrides)
    if flags.shell_completion:
        _hydra_main(step, folder)
        return
    check_overrides(overrides, Path(flags.config_dir) if flags.config_dir else None)
    if flags.cfg or flags.info or flags.help or flags.hydra_help:
        _hydra_main(step, folder)
        return
    multirun = flags.multirun or "hydra.mode=MULTIRUN" in overrides
    study = not multirun and any(line.startswith("run.study=") for line in overrides)
    plan = any(line.startswith("run.plan=") for line in overrides)
    if (multirun or study or plan) and (flags.config_name or flags.config_path or flags.config_dir):
        raise SettingError("--config-name, -path and -dir are for a single run")
    if multirun:
        sys.exit(sweep.run_multirun(step, overrides, lambda: _hydra_main(step, folder)))
    if study:
        _run_study(step, composed(overrides), overrides)
    elif plan and composed(overrides).run.plan:
        print_plan(step, [[line for line in overrides if not line.startswith("run.")]])
    else:
        _hydra_main(step, folder)


def _hydra_main(step: str, folder: Path) -> None:
    register_schema()
    main: Callable[[], None] = hydra.main(
        version_base="1.3", config_path=str(folder), config_name="config"
    )(_Task(step))
    main()


class _Task:
    """What Hydra calls with each composed configuration; picklable for launchers."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __call__(self, config: DictConfig) -> None:
        hydra_config = HydraConfig.get()
        if hydra_config.mode == RunMode.MULTIRUN:
            sweep.run_point(self.step, config, list(hydra_config.overrides.task))
            return
        try:
            _run_single(self.step, typed(config))
        except (SettingError, OSError, ValueError) as error:
            _leave(error, MISUSED if isinstance(error, SettingError) else FAILED)


def _run_single(step: str, settings: Settings) -> None:
    chain = Chain(settings)
    require_ready(step, chain)
    record = chain.record(step)
    if settings.run.publish:
        publish_result(step, settings.run.publish, chain, Path.cwd())
    print(line_of(record))
    if settings.run.track and not settings.run.publish:
        from ann2snn.tracking.later import sync_later

        try:
            sync_later(Path.cwd())
        except OSError as error:
            sweep.tell_waiting(error)


def _run_study(step: str, settings: Settings, overrides: list[str]) -> None:
    shaping = [line for line in overrides if not line.startswith("run.") and not _is_free(line)]
    if shaping:
        raise SettingError(
            f"{shaping[0]!r}: a study's toggles stand in params.yaml; beside run.study only"
            " toggles that change no result are allowed"
        )
    project = Path.cwd()
    study = read_study(project, settings.run.study)
    if settings.run.plan:
        print_plan(step, list(study.points.values()))
        return
    chains = study_chains(study, project, settings)
    for point, chain in chains.items():
        with named(f"{study.name}/{point}"):
            require_ready(step, chain)
    for point, chain in chains.items():
        record = chain.record(step)
        keep_point(study.name, point, record, project)
        print(f"{study.name}/{point}: {line_of(record)}", flush=True)
    publish_study(step, study, chains, project)


def _is_free(line: str) -> bool:
    from ann2snn.config.schema import toggle_of
    from ann2snn.settings import rule_of

    key = line.partition("=")[0]
    return "." in key and not rule_of(toggle_of(key)).shapes_result


def _leave(error: Exception, status: int) -> None:
    if os.environ.get("ANN2SNN_TRACEBACK"):
        raise error
    print(f"error: {error}", file=sys.stderr)
    sys.exit(status)
