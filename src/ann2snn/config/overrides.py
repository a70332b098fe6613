"""One override as Hydra reads it: its key, and its values as the points of a sweep get them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from ann2snn.config.schema import CHOSEN
from ann2snn.settings import SettingError


def parsed(line: str) -> Override:
    """An override as Hydra reads it.

    Raises:
        SettingError: the line is no override.
    """
    try:
        return OverridesParser.create().parse_override(line)
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingError(
            f"{line!r} is not an override: write key=value ({first_line(error)})"
        ) from error


def is_hydras(override: Override) -> bool:
    """Whether an override sets one of Hydra's own settings, such as its launcher."""
    return str(override.key_or_group).replace("/", ".").partition(".")[0] == "hydra"


def spelled_values(override: Override, also: Path | None = None) -> list[str]:
    """The values that an override gives its key, spelled as Hydra hands them to the points of a
    sweep: there `1e-3` is 0.001.

    Raises:
        SettingError: the values cannot be listed.
    """
    line = f"{override.input_line!r}"
    if not override.is_sweep_override():
        return [override.get_value_element_as_str()]
    if override.is_interval_sweep():
        raise SettingError(
            f"{line}: an interval has no values that can be run one by one; list them, write"
            " range(start, stop, step), or search it: hydra/sweeper=optuna"
        )
    value: Any = override.value()  # Hydra types it without globs
    group = str(override.key_or_group)
    if isinstance(value, Glob):
        if group not in CHOSEN:
            raise SettingError(
                f"{line}: glob goes over the named choices of {', '.join(CHOSEN)}; list the values"
                f" of {group}"
            )
        found = value.filter(choices_of(group, also))
    else:
        try:
            found = list(override.sweep_string_iterator())
        except (HydraException, OmegaConfBaseException, ValueError) as error:
            raise SettingError(f"{line}: {first_line(error)}") from error
    if not found:
        raise SettingError(f"{line} gives no value")
    return found


def conf_folder() -> Path:
    """The folder `conf` of the project that the program was started in.

    Raises:
        SettingError: there is none.
    """
    folder = Path.cwd() / "conf"
    if not (folder / "config.yaml").is_file():
        raise SettingError(
            f"conf/config.yaml is not in {Path.cwd()}: start the program in the project's folder"
        )
    return folder


def choices_of(group: str, also: Path | None = None) -> list[str]:
    """The named choices of a group of `conf`, and of the folder `also`."""
    folders = [conf_folder(), *([also] if also else [])]
    return sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")})


@contextmanager
def hydras_errors() -> Iterator[None]:
    """Turns an error that Hydra or OmegaConf raises within into a SettingError of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingError(first_line(error)) from error
    except yaml.YAMLError as error:
        raise SettingError(
            f"a file of conf/ is not YAML: {' '.join(str(error).split())}"
        ) from error
    except UnicodeDecodeError as error:
        named = ", ".join(map(str, _undecodable())) or "a file"
        raise SettingError(f"{named} is not text in UTF-8: {error}") from error


def _undecodable() -> Iterator[Path]:
    """The files of conf/ that are no UTF-8."""
    for path in sorted(conf_folder().rglob("*.yaml")):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            yield path


def first_line(error: BaseException) -> str:
    """An error's message in one line; its cause's, or else its kind, where it has none."""
    lines = str(error).strip().splitlines() or str(error.__cause__ or "").strip().splitlines()
    return lines[0] if lines else type(error).__name__
