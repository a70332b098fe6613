"""The engines: each runs a spec on a block of images, and all give the same numbers.

An engine is a module or a folder here, whose import loads nothing heavy: the toggles' choices come
from this table. What it does not support of a spec it says itself, before any work.
"""

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ann2snn.settings import SettingError
from ann2snn.tables import Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ann2snn.simulation.image_block import Block
    from ann2snn.simulation.settings import SimulationSettings
    from ann2snn.spec import SpikingSpec
    from ann2snn.spec.interpretation import Interpretation

Supported = Mapping[str, Container[str]]


class Engine(Protocol):
    """`narrow` is its precision of 32 bits, `devices` are those it runs on; `compares` says whether
    it can hold rates against activations. Of the engines that support a run, `auto` takes the one
    of the least `rank`."""

    name: str
    meaning: str
    narrow: str
    devices: tuple[str, ...]
    compares: bool
    rank: int

    def lacks(self, spec: "SpikingSpec") -> list[str]:
        """Names of what the spec has and the engine does not support, such as `reset 'zero'`."""
        ...

    def block(
        self,
        spec: "SpikingSpec",
        images: "npt.NDArray[np.integer]",
        places: "npt.NDArray[np.int64]",
        settings: "SimulationSettings",
        precision: str,
        units: dict[str, list[int]],
    ) -> "Block":
        """Runs images of whole numbers k (N, C, H, W), pixels k / spec.levels, through all steps.

        `places` are the images' places among all, which random numbers count by; `units` of neuron
        layers are those whose spike trains are kept.
        """
        ...


ENGINES: Table[Engine] = Table("engine", "ann2snn.simulation.engines")


def chosen_engine(settings: "SimulationSettings", spec: "SpikingSpec") -> Engine:
    """The engine of the settings; for `auto` the first that supports device, comparison and spec.

    Raises:
        SettingError: the engine does not support the spec; names what, and which engine does.
    """
    able = [engine for engine in ENGINES.values() if _runs(engine, settings)]
    able.sort(key=lambda engine: engine.rank)
    asked = [ENGINES[settings.engine]] if settings.engine != "auto" else able
    lacking: dict[str, list[str]] = {}
    for engine in asked:
        lacking[engine.name] = engine.lacks(spec)
        if not lacking[engine.name]:
            return engine
    reasons = "; ".join(
        f"engine {name} does not support {', '.join(what)}" for name, what in lacking.items()
    )
    others = [e.name for e in able if e.name not in lacking and not e.lacks(spec)]
    advice = f"simulation.engine={others[0]} does" if others else "no engine does"
    raise SettingError(f"{reasons}; {advice}")


def _runs(engine: Engine, settings: "SimulationSettings") -> bool:
    return settings.device in engine.devices and (engine.compares or not settings.compare)


def missing_support(
    spec: "SpikingSpec", supported: Supported, layers: "Interpretation[Any]"
) -> list[str]:
    """Names of the mechanisms of a spec that are not among the `supported` of their table, and of
    the kinds of node that have no rule in `layers`.

    Signals that do not change with time are computed for all engines by `constant_currents`, and
    answers by the rows of `OUTPUTS`: no engine meets their mechanisms.
    """
    from ann2snn.simulation.constant_currents import CURRENTS
    from ann2snn.spec import Output

    found: dict[str, None] = {}
    for node in spec:
        static = spec.is_static(node.name)
        if node not in (CURRENTS if static else layers):
            found[f"nodes of kind {node.kind}"] = None
        for field, table in node.mechanisms:
            name = getattr(node, field)
            met = not (static and node.inputs) and not isinstance(node, Output)
            if met and name not in supported[table.what]:
                found[f"{table.what} {name!r}"] = None
    return list(found)
