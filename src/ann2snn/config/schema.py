"""From override strings to checked settings: named choices of `conf/`, typed by the dataclasses.

The dataclasses give Hydra its keys and defaults, so a toggle stands in one place. Values are held
to their rules twice: each override before Hydra composes (all values of a sweep at once), and the
composed whole when the dataclasses are built. Nothing here imports torch.
"""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ann2snn.ann.settings import AnnSettings
from ann2snn.config.overrides import (
    CHOSEN,
    choices_of,
    conf_folder,
    first_line,
    is_hydras,
    parsed,
    spelled_values,
)
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.data.settings import DataSettings
from ann2snn.settings import SettingError, flag, rule_of, text
from ann2snn.settings import check as check_settings
from ann2snn.simulation.settings import SimulationSettings


@dataclass(frozen=True)
class RunSettings:
    """How one call is run; none of it shapes a result."""

    study: str = text("", "run all points of this study of params.yaml", shapes_result=False)
    publish: str = text(
        "", "write the result to artifacts/<step>/<this name> as well", shapes_result=False
    )
    name: str = text("", "what to call a sweep; by default its overrides", shapes_result=False)
    plan: bool = flag(False, "print the points and what is done; run nothing", shapes_result=False)
    track: bool = flag(True, "send results to MLflow at the end", shapes_result=False)

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class Settings:
    """Every toggle of a run, by step."""

    data: DataSettings = field(default_factory=DataSettings)
    ann: AnnSettings = field(default_factory=AnnSettings)
    conversion: ConversionSettings = field(default_factory=ConversionSettings)
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    run: RunSettings = field(default_factory=RunSettings)


GROUPS = {
    "data": DataSettings,
    "ann": AnnSettings,
    "conversion": ConversionSettings,
    "simulation": SimulationSettings,
    "run": RunSettings,
}


def register_schema() -> None:
    """Gives Hydra the keys and defaults of all toggles."""
    schema = {name: asdict(kind()) for name, kind in GROUPS.items()}
    ConfigStore.instance().store(name="schema", node=schema)


def composed(overrides: Sequence[str]) -> Settings:
    """The settings that `overrides` make of `conf/config.yaml`.

    Raises:
        SettingError: an override or a value is wrong.
    """
    check_overrides(overrides)
    return typed(_composed(overrides))


def composed_hydra(overrides: Sequence[str]) -> DictConfig:
    """Hydra's own part of what `overrides` make of `conf/config.yaml`: launcher, sweeper.

    Raises:
        SettingError: Hydra knows no such setting.
    """
    return cast(DictConfig, _composed(overrides, return_hydra_config=True).hydra)


def _composed(overrides: Sequence[str], return_hydra_config: bool = False) -> DictConfig:
    register_schema()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            return compose("config", list(overrides), return_hydra_config)
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingError(first_line(error)) from error


def typed(config: DictConfig) -> Settings:
    """A composed configuration as dataclasses, strictly: no unknown key, each value in its rule.

    Raises:
        SettingError: names key, value and what is allowed.
    """
    try:
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise SettingError(first_line(error)) from error
    assert isinstance(plain, dict)
    unknown = sorted(set(map(str, plain)) - set(GROUPS) - {"experiment"})
    if unknown:
        raise SettingError(_unknown_key(unknown[0]))
    parts: dict[str, Any] = {}
    for group, kind in GROUPS.items():
        values = dict(plain[group])
        for name in values:
            toggle_of(f"{group}.{name}")
        for toggle in dataclasses.fields(kind):
            if isinstance(toggle.default, float) and type(values[toggle.name]) is int:
                values[toggle.name] = float(values[toggle.name])
        try:
            parts[group] = kind(**values)
        except SettingError as error:
            raise SettingError(f"{group}.{error}") from error
    return Settings(**parts)


def check_overrides(overrides: Sequence[str], also: Path | None = None) -> None:
    """Holds each override, and each value of a sweep, to the toggle that it names. `also` is a
    folder of named choices beside `conf`.

    Raises:
        SettingError: names key, value and what is allowed, and for a misspelt key the nearest one.
    """
    for line in overrides:
        override = parsed(line)
        key = str(override.key_or_group)
        if is_hydras(override):
            continue
        if override.is_add() or override.is_force_add() or override.is_delete():
            word = "removed" if override.is_delete() else "added"
            raise SettingError(f"{line!r}: toggles cannot be {word}; " + _known_or_nearest(key))
        if key in CHOSEN:
            _check_choice(key, override, also)
        else:
            _check_values(key, override)


def _check_choice(group: str, override: Override, also: Path | None) -> None:
    choices = choices_of(group, also)
    for value in _values(override, also):
        if value not in choices and not (group == "experiment" and value in (None, "null")):
            raise SettingError(
                f"{group} must be one of {', '.join(choices)} (conf/{group}), got {value!r}"
                + _nearest(str(value), choices)
            )


def _check_values(key: str, override: Override) -> None:
    toggle = toggle_of(key)
    for value in _values(override):
        if isinstance(value, str) and value.startswith("${"):
            continue
        default = toggle.default
        number = float(value) if isinstance(default, float) and type(value) is int else value
        rule = rule_of(toggle)
        if type(number) is not type(default):
            kind = {"int": "a whole number", "float": "a number", "bool": "true or false"}
            wanted = kind.get(type(default).__name__, "text")
            if rule.choices or rule.low is not None or rule.high is not None:
                wanted += f", {rule.allowed()}"
            raise SettingError(f"{key} must be {wanted}, got {value!r}")
        if not rule.admits(number):
            close = _nearest(str(value), rule.choices)
            raise SettingError(f"{key} must be {rule.allowed()}, got {value!r}{close}")


def _values(override: Override, also: Path | None = None) -> Iterator[Any]:
    if not override.is_sweep_override():
        yield override.value()
        return
    for spelled in spelled_values(override, also):
        yield parsed(f"{override.key_or_group}={spelled}").value()


def toggle_of(key: str) -> dataclasses.Field[Any]:
    """The field that a key such as `conversion.percentile` names.

    Raises:
        SettingError: there is none; says which is nearest.
    """
    group, _, name = key.partition(".")
    if group in GROUPS:
        for toggle in dataclasses.fields(GROUPS[group]):
            if toggle.name == name:
                return toggle
    raise SettingError(_unknown_key(key))


def _all_keys() -> list[str]:
    keys = [
        f"{group}.{toggle.name}"
        for group, kind in GROUPS.items()
        for toggle in dataclasses.fields(kind)
    ]
    return [*CHOSEN, *keys]


def _unknown_key(key: str) -> str:
    return f"there is no toggle {key!r}" + (
        _nearest(key, _all_keys()) or f"; the groups are {', '.join(GROUPS)}"
    )


def _known_or_nearest(key: str) -> str:
    return f"{key} is set by {key}=value" if key in _all_keys() else _unknown_key(key)


def _nearest(word: str, words: Sequence[str]) -> str:
    """`; did you mean X?`, by the whole word first, then by its last part."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if not close:
        tails = {known.rpartition(".")[2]: known for known in words}
        tail = difflib.get_close_matches(word.rpartition(".")[2], list(tails), n=1, cutoff=0.6)
        close = [tails[tail[0]]] if tail else []
    return f"; did you mean {close[0]}?" if close else ""
