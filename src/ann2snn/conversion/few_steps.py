"""The toggles for a number of steps, where nothing else is asked for."""

import dataclasses
from typing import Any

from ann2snn.conversion.settings import ConversionSettings

SHARED = {"spikes": "burst", "initial_potential": 0.5, "output": "potential",
          "normalization": "channel"}  # fmt: skip
# up to so many steps: what validation images of CIFAR-10 choose for 4, for 5, for 6 and 8, and for
# 16 and 32 (studies cifar10-burst-selection-4 to -32)
CHOSEN: tuple[tuple[float, dict[str, Any]], ...] = (
    (4, {"percentile": 99.0, "for_steps": 0}),
    (5, {"normalization": "squared_error"}),
    (12, {"percentile": 99.5, "calibration": "bias"}),
    (float("inf"), {"percentile": 99.9, "for_steps": 0}),
)
FREE = ("for_steps", "grid", "population")  # toggles that may be given beside


def completed(toggles: dict[str, Any]) -> dict[str, Any]:
    """All toggles of a conversion; where `for_steps` is given and all others but the grid are at
    their defaults, those that are best for so many steps."""
    defaults = {own.name: own.default for own in dataclasses.fields(ConversionSettings)}
    steps = toggles["for_steps"]
    given = any(toggles[name] != defaults[name] for name in toggles if name not in FREE)
    if given or not isinstance(steps, int) or steps < 1:
        return toggles
    chosen = next(chosen for most, chosen in CHOSEN if steps <= most)
    return toggles | SHARED | chosen
