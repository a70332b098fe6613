"""From override strings to checked settings: named choices of `conf/`, typed by the dataclasses.

The dataclasses give Hydra its keys and defaults, so a toggle stands in one place. Values are held
to their rules twice: each override before Hydra composes, and the composed whole when the
dataclasses are built. Nothing here imports torch.
"""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from ann2snn.config.checks import check_overrides
from ann2snn.config.overrides import conf_folder, hydras_errors
from ann2snn.config.schema import GROUPS, Settings, toggle_of, unknown_key
from ann2snn.settings import SettingError


def register_schema() -> None:
    """Gives Hydra the keys and defaults of all toggles."""
    schema = {name: dataclasses.asdict(kind()) for name, kind in GROUPS.items()}
    ConfigStore.instance().store(name="schema", node=schema)


def composed(overrides: Sequence[str]) -> Settings:
    """The settings that `overrides` make of `conf/config.yaml`.

    Raises:
        SettingError: an override or a value is wrong.
    """
    check_overrides(overrides)
    register_schema()
    with hydras_errors(), _hydra():
        config = compose("config", list(overrides))
    return typed(config)


def _hydra() -> AbstractContextManager[None]:
    """Hydra over the project's `conf`; within a Hydra application, the Hydra that runs it."""
    if GlobalHydra.instance().is_initialized():
        return nullcontext()
    return cast(
        AbstractContextManager[None],
        initialize_config_dir(str(conf_folder()), version_base="1.3"),
    )


def typed(config: DictConfig) -> Settings:
    """A composed configuration as dataclasses, strictly: no unknown key, each value in its rule.

    Raises:
        SettingError: names key, value and what is allowed.
    """
    with hydras_errors():
        plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    for group in sorted(plain):
        if group not in (*GROUPS, "experiment"):
            raise SettingError(unknown_key(group))
    parts: dict[str, Any] = {}
    for group, kind in GROUPS.items():
        values = plain[group]
        for name in values:
            if (
                isinstance(toggle_of(f"{group}.{name}").default, float)
                and type(values[name]) is int
            ):
                values[name] = float(values[name])
        try:
            parts[group] = kind(**values)
        except SettingError as error:
            raise SettingError(f"{group}.{error}") from error
    return Settings(**parts)
