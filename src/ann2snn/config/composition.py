"""From override strings to checked settings: named choices of `conf/`, typed by the dataclasses.

The dataclasses give Hydra its keys and defaults, so a toggle stands in one place. Values are held
to their rules twice: each override before Hydra composes, and the composed whole when the
dataclasses are built. Nothing here imports torch.
"""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import OverrideType
from omegaconf import DictConfig, OmegaConf

from ann2snn.config.checks import check_overrides, prefixed
from ann2snn.config.overrides import conf_folder, hydras_errors, parsed
from ann2snn.config.schema import CHOSEN, GROUPS, Settings, all_keys, toggle_of, unknown_key
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
    choices, values = [], {}
    for line in overrides:
        override = parsed(line)
        key = override.key_or_group
        plainly = override.type is OverrideType.CHANGE and not override.is_sweep_override()
        made = "${" in str(override.value())  # from another toggle's value
        if plainly and key in all_keys() and key not in CHOSEN and not made:
            values[key] = override.value()
        else:
            choices.append(line)
    plain = _composed_once(tuple(choices), conf_folder(), _state_of(conf_folder()))
    if plain is None:
        with hydras_errors(), _hydra():
            return typed(compose("config", list(overrides)))
    copy = {group: dict(own) if isinstance(own, dict) else own for group, own in plain.items()}
    for key, value in values.items():
        group, _, name = key.partition(".")
        copy[group][name] = value
    return _settings(copy)


@cache
def _composed_once(
    choices: tuple[str, ...],
    conf: Path,  # noqa: ARG001
    state: tuple[Any, ...],  # noqa: ARG001
) -> dict[str, Any] | None:
    """What named choices alone make; the values of toggles are set over it, as Hydra does, whose
    composition takes some 20 ms. None where one toggle's value is made from another's."""
    register_schema()
    with hydras_errors(), _hydra():
        config = compose("config", list(choices))
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=False))
    return None if "${" in repr(plain) else plain


def _state_of(conf: Path) -> tuple[Any, ...]:
    """Names, sizes and times of all files of `conf`."""
    states = ((path, path.stat()) for path in sorted(conf.rglob("*.yaml")))
    return tuple((str(path), state.st_size, state.st_mtime_ns) for path, state in states)


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
        return _settings(cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)))


def _settings(plain: dict[str, Any]) -> Settings:
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
        with prefixed(f"{group}."):
            parts[group] = kind(**values)
    return Settings(**parts)
