"""The engines: each runs a spec on a block of images, and all give the same numbers.

An engine is one row in a file here, whose import loads nothing heavy: the choices of the toggles
come from this table. An engine says itself, before any work, which parts of a spec it lacks.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ann2snn.settings import SettingError
from ann2snn.tables import Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ann2snn.simulation.image_block import Block
    from ann2snn.simulation.settings import SimulationSettings
    from ann2snn.spec import SpikingSpec
    from ann2snn.spec.interpretation import Interpretation


@dataclass(frozen=True)
class Task:
    """A block of images of whole numbers k (N, C, H, W), pixels k / spec.levels, to take through
    all steps. `places` are the images' places among all, which random numbers count by; `units` of
    neuron layers are those whose spike trains are kept."""

    spec: "SpikingSpec"
    images: "npt.NDArray[np.integer]"
    places: "npt.NDArray[np.int64]"
    settings: "SimulationSettings"
    precision: str
    units: dict[str, list[int]]


@dataclass(frozen=True)
class Engine:
    """`narrow` is its precision of 32 bits, `devices` are those it runs on; `compares` says whether
    it can hold rates against activations, `exits` whether an image can leave before the last step.
    Of the engines that support a run, `auto` takes the one of the least `rank`. `lacks(spec)` names
    all of a spec that it does not support, such as `reset 'zero'`; `block(task)` runs a block."""

    name: str
    meaning: str
    narrow: str
    devices: tuple[str, ...]
    compares: bool
    exits: bool
    rank: int
    lacks: "Callable[[SpikingSpec], list[str]]"
    block: "Callable[[Task], Block]"


ENGINES: Table[Engine] = Table("engine", "ann2snn.simulation.engines")


def chosen_engine(settings: "SimulationSettings", spec: "SpikingSpec") -> Engine:
    """The engine of the settings; for `auto` the first that supports device, comparison and spec.

    Raises:
        SettingError: the engine does not support the spec; names what, and which engine does.
    """
    able = [
        engine
        for engine in sorted(ENGINES.values(), key=lambda engine: engine.rank)
        if settings.kind_of_device in engine.devices
        and (engine.compares or not settings.compare)
        and (engine.exits or not settings.exit_margin)
    ]
    asked = [ENGINES[settings.engine]] if settings.engine != "auto" else able
    reasons = []
    for engine in asked:
        lacking = engine.lacks(spec)
        if not lacking:
            return engine
        reasons.append(f"engine {engine.name} does not support {', '.join(lacking)}")
    others = [each.name for each in able if each not in asked and not each.lacks(spec)]
    reasons.append(f"simulation.engine={others[0]} does" if others else "no engine does")
    raise SettingError("; ".join(reasons))


def missing_support(
    spec: "SpikingSpec", supported: Mapping[str, Container[str]], rules: "Interpretation[Any]"
) -> list[str]:
    """Names of the mechanisms of a spec that are not among the `supported` of their table, and of
    the kinds of node that have no rule in `rules`.

    Signals that do not change with time are computed for all engines by `constant_currents`, and
    answers by the rows of `OUTPUTS`: no engine meets their mechanisms.
    """
    from ann2snn.simulation.constant_currents import CURRENTS

    found: dict[str, None] = {}
    for node in spec:
        static = spec.is_static(node.name)
        if node not in (CURRENTS if static else rules):
            found[f"nodes of kind {node.kind}"] = None
        met = node is spec.input or not (static or node is spec.output)
        for field, table in node.mechanisms if met else ():
            if getattr(node, field) not in supported[table.what]:
                found[f"{table.what} {getattr(node, field)!r}"] = None
    return list(found)
