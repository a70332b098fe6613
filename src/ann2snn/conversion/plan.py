"""A conversion with its account: the spec, and where every traced operation went."""

from dataclasses import dataclass

from ann2snn.conversion.graph import AnalogGraph
from ann2snn.spec import SpikingSpec


@dataclass(frozen=True)
class Fate:
    """What became of one traced operation: nodes of the spec that do its work, or why none does."""

    operation: str
    nodes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class ConversionPlan:
    """A spec, the account of all operations, the ceilings of saturating ReLUs in the analog
    network's units, and the layers that were dead on the calibration set."""

    spec: SpikingSpec
    fates: tuple[Fate, ...]
    ceilings: dict[str, float]
    dead: tuple[str, ...]


def fates(graph: AnalogGraph) -> tuple[Fate, ...]:
    """The account of a folded graph, in the order of the trace."""
    found = []
    for operation, made in graph.made.items():
        reasons = [graph.notes[operation]] if operation in graph.notes else []
        nodes: list[str] = []
        for name in made:
            if name in graph.nodes:
                nodes.append(name)
            else:
                into, reason = _followed(graph, name)
                nodes.extend(into)
                reasons.append(reason)
        found.append(Fate(operation, tuple(dict.fromkeys(nodes)), "; ".join(reasons)))
    return tuple(found)


def _followed(graph: AnalogGraph, name: str) -> tuple[list[str], str]:
    """The nodes that a merged node ended in, and why."""
    into, reason = graph.merged[name]
    ends: list[str] = []
    for target in into.split(", "):
        ends.extend([target] if target in graph.nodes else _followed(graph, target)[0])
    return ends, reason
