"""Every toggle of a run as dataclasses, by step. Hydra's schema and the table of toggles read them.

Nothing here imports more than the settings of the steps.
"""

import re
from dataclasses import Field, dataclass, field, fields
from typing import Any

from ann2snn.ann.settings import AnnSettings
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.data.settings import DataSettings
from ann2snn.settings import SettingError, flag, nearest, text
from ann2snn.settings import check as check_settings
from ann2snn.simulation.settings import SimulationSettings

FILE_NAME = re.compile(r"[\w+-][\w.+-]*", re.ASCII)
CHOSEN = ("data", "ann", "conversion", "simulation", "experiment")  # groups of named choices


@dataclass(frozen=True)
class RunSettings:
    """How one call is run; none of it shapes a result."""

    study: str = text("", "run all points of this study of params.yaml", shapes_result=False)
    publish: str = text(
        "", "write the result to artifacts/<step>/<this name> as well", shapes_result=False
    )
    name: str = text("", "what to call a sweep; by default its overrides", shapes_result=False)
    plan: bool = flag(False, "print the points and what is done; run nothing", shapes_result=False)
    progress: bool = flag(
        True,
        "show what is done and left of long steps: in a terminal at every moment, in a log every"
        " half minute",
        shapes_result=False,
    )
    track: bool = flag(True, "send results to MLflow at the end", shapes_result=False)

    def __post_init__(self) -> None:
        check_settings(self)
        for toggle in ("name", "publish"):
            value = getattr(self, toggle)
            if value and not FILE_NAME.fullmatch(value):
                raise SettingError(
                    f"{toggle} must be of letters, digits and ._+-, for a folder is called so, and"
                    f" not begin with a dot, got {value!r}"
                )


@dataclass(frozen=True)
class Settings:
    """Every toggle of a run, by step."""

    data: DataSettings = field(default_factory=DataSettings)
    ann: AnnSettings = field(default_factory=AnnSettings)
    conversion: ConversionSettings = field(default_factory=ConversionSettings)
    simulation: SimulationSettings = field(default_factory=SimulationSettings)
    run: RunSettings = field(default_factory=RunSettings)


GROUPS: dict[str, Any] = {group.name: group.default_factory for group in fields(Settings)}


def toggle_of(key: str) -> Field[Any]:
    """The field that a key such as `conversion.percentile` names.

    Raises:
        SettingError: no toggle has this key; the message names the nearest one.
    """
    group, _, name = key.partition(".")
    for toggle in fields(GROUPS[group]) if group in GROUPS else ():
        if toggle.name == name:
            return toggle
    raise SettingError(unknown_key(key))


def all_keys() -> list[str]:
    """The groups of named choices, then every toggle."""
    toggles = [f"{group}.{toggle.name}" for group in GROUPS for toggle in fields(GROUPS[group])]
    return [*CHOSEN, *toggles]


def unknown_key(key: str) -> str:
    """The message for a key that no toggle has."""
    close = nearest(key, all_keys()) or f"; the groups are {', '.join(GROUPS)}"
    return f"there is no toggle {key!r}{close}"
