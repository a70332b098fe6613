"""Where the analog graph needs a scale of its own."""

from ann2snn.conversion.graph import AnalogGraph
from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Neuron,
    Output,
    Reshape,
    SumPool,
)


def points(graph: AnalogGraph) -> list[str]:
    """Names of the nodes whose scale comes from statistics, in order.

    These are all neurons, the output unless neurons feed it, and the currents that no single neuron
    or sum takes, whose scale is theirs to choose.
    """
    found = []
    for node in graph:
        match node:
            case Neuron():
                found.append(node.name)
            case Output() if not isinstance(graph.nodes[node.inputs[0]], Neuron):
                found.append(node.name)
            case Conv() | Linear() | Affine() | Add() if not is_asked(graph, node.name):
                found.append(node.name)
    return found


def is_asked(graph: AnalogGraph, name: str) -> bool:
    """Whether the node's one reader, at once or behind pools and shapes, fixes the units of its
    signal."""
    readers = graph.readers(name)
    if len(readers) != 1:
        return False
    (reader,) = readers
    if isinstance(reader, SumPool | MaxPool | Reshape | Concat):
        return is_asked(graph, reader.name)
    return isinstance(reader, Neuron | Output | Add)
