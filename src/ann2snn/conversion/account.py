"""A conversion with its account: the spec, and where every traced operation went."""

from dataclasses import dataclass, field

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.numerics.aligned_columns import aligned
from ann2snn.spec import SpikingSpec


@dataclass(frozen=True)
class Fate:
    """What became of one traced operation: the nodes of the spec that do its work, or the reason
    why none does."""

    operation: str
    nodes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        """The spec as a table, and a line for each traced operation: the nodes that do its work,
        and why if it is not the obvious one."""
        operations = [(f.operation, ", ".join(f.nodes), f.reason) for f in self.fates]
        ceilings = [f"{name} at {value:.4g}" for name, value in self.ceilings.items()]
        parts = [
            str(self.spec),
            aligned([("operation", "nodes", "reason"), *operations]),
            f"activations end: {', '.join(ceilings)}" if ceilings else "",
            f"dead on the calibration images: {', '.join(self.dead)}" if self.dead else "",
        ]
        return "\n\n".join(filter(None, parts))


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
    targets = filter(None, into.split(", "))
    return [end for target in targets for end in _end(graph, target)[0]], reason
