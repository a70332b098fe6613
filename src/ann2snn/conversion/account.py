"""A conversion with its account: the spec, and where every traced operation went."""

from dataclasses import dataclass, field

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.spec import SpikingSpec


@dataclass(frozen=True)
class Fate:
    """What became of one traced operation: the nodes of the spec that do its work, or the reason
    why none does."""

    operation: str
    nodes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Conversion:
    """A spec with the fates of all operations, the ceilings of saturating ReLUs in the analog
    network's units, the layers that were dead on the calibration set, and per layer the channels
    whose scale was raised, because they were so faint that their weights would have coarsened the
    grid."""

    spec: SpikingSpec
    fates: tuple[Fate, ...]
    ceilings: dict[str, float]
    dead: tuple[str, ...]
    raised: dict[str, tuple[int, ...]] = field(default_factory=dict)


def fates(graph: AnalogGraph) -> tuple[Fate, ...]:
    """The fates of the operations of a simplified graph, in the order of the trace."""
    found = []
    for operation, made in graph.made.items():
        ends = [_end(graph, name) for name in made]
        nodes = dict.fromkeys(node for names, _ in ends for node in names)
        reasons = [graph.notes.get(operation, ""), *(reason for _, reason in ends)]
        found.append(Fate(operation, tuple(nodes), "; ".join(filter(None, reasons))))
    return tuple(found)


def _end(graph: AnalogGraph, name: str) -> tuple[list[str], str]:
    """The nodes that do the work of a node now, and why they do if it is gone."""
    if name in graph.nodes:
        return [name], ""
    into, reason = graph.merged[name]
    return [end for target in into.split(", ") for end in _end(graph, target)[0]], reason
