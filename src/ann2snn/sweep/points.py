"""The points of a sweep, spelled as Hydra's sweeper spells them."""

import hashlib
import itertools
from collections.abc import Iterable

from ann2snn.config.overrides import parsed, spelled_values

Axes = dict[str, list[str]]


def axes_of(overrides: Iterable[str]) -> Axes:
    """The values of every override, by key; the last one of a key counts."""
    found = [parsed(line) for line in overrides]
    return {override.get_key_element(): spelled_values(override) for override in found}


def points_of(axes: Axes) -> list[list[str]]:
    """The override lists of all points, the last axis fastest, as Hydra's sweeper orders them."""
    return [
        [f"{key}={value}" for key, value in zip(axes, values, strict=True)]
        for values in itertools.product(*axes.values())
    ]


def varying(point: list[str], axes: Axes) -> dict[str, str]:
    """The values of a point that vary in the sweep, by key, as people write them."""
    pairs = (line.partition("=") for line in point)
    return {key: shown(value) for key, _, value in pairs if len(axes[key]) > 1}


def label_of(point: list[str], axes: Axes) -> str:
    """The values of a point that vary, in words; empty for the only point."""
    return ", ".join(f"{key}={value}" for key, value in varying(point, axes).items())


def shown(value: str) -> str:
    """A value without the escapes and quotes of Hydra's grammar."""
    found = parsed(f"value={value}").value()
    return found if isinstance(found, str) else value


def point_id(overrides: list[str]) -> str:
    """A name for a point's file."""
    return hashlib.sha256("\n".join(sorted(overrides)).encode()).hexdigest()[:16]
