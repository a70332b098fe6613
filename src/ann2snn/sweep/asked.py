"""What a multirun was asked for: the overrides that make its points, and those that all share."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from omegaconf import DictConfig

from ann2snn.config.checks import check_overrides
from ann2snn.config.composition import composed
from ann2snn.config.schema import RunSettings
from ann2snn.settings import SettingError


@dataclass(frozen=True)
class Asked:
    """`own` are the overrides that make the points, `shared` those of `run`, and `run` is what
    these say."""

    own: list[str]
    shared: list[str]
    run: RunSettings


def asked_of(config: DictConfig) -> Asked:
    """The overrides of the command line, and those that Hydra's sweeper has as parameters.

    Raises:
        SettingError: a parameter of the sweeper is no toggle, or one toggle of `run` is of a single
            call alone.
    """
    configured = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    check_overrides(configured)
    given = list(config.hydra.overrides.task)
    shared = [line for line in given if line.startswith("run.")]
    run = composed(shared).run
    for toggle in ("study", "publish"):
        if getattr(run, toggle):
            raise SettingError(f"run.{toggle} is of a single call, not of a sweep")
    return Asked([*configured, *(line for line in given if line not in shared)], shared, run)


def name_of(run: RunSettings, step: str, words: Iterable[str]) -> str:
    """What the user calls the sweep, else a name made of what it is."""
    return run.name or hashlib.sha256("\n".join([step, *words]).encode()).hexdigest()[:8]
