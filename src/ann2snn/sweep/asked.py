"""What a multirun was asked for: the overrides that make its points, and those that all share."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

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
        SettingError: a parameter of the sweeper is no toggle of a point, or a toggle of `run` is of
            a single call alone.
    """
    configured = [f"{key}={value}" for key, value in _parameters(config).items()]
    check_overrides(configured, intervals=True)
    for line in configured:
        if line.startswith("run."):
            raise SettingError(f"hydra.sweeper.params: {line!r} is said on the command line")
    size: Any = config.hydra.sweeper.get("max_batch_size")
    if size is not None and (type(size) is not int or size < 1):
        raise SettingError(f"hydra.sweeper.max_batch_size must be null or at least 1, got {size!r}")
    given = as_given(config.hydra.overrides.task)
    shared = [line for line in given if line.startswith("run.")]
    run = composed(shared).run
    for toggle in ("study", "publish"):
        if getattr(run, toggle):
            raise SettingError(f"run.{toggle} is of a single call, not of a sweep")
    return Asked([*configured, *(line for line in given if line not in shared)], shared, run)


def _parameters(config: DictConfig) -> dict[str, Any]:
    found = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
    given = cast(dict[str, Any], found).get("params")
    if not isinstance(given, dict | None):
        raise SettingError(f"hydra.sweeper.params must be a mapping of toggles, got {given!r}")
    return given or {}


def as_given(overrides: Any) -> list[str]:
    """Overrides with interpolations as they were written: to what one leads is each point's own."""
    return cast(list[str], OmegaConf.to_container(overrides, resolve=False))


def name_of(run: RunSettings, words: Iterable[str]) -> str:
    """What the user calls the sweep, else a name made of what it is."""
    return run.name or hashlib.sha256("\n".join(words).encode()).hexdigest()[:8]
