"""Exact rewritings of selections of channels.

A selection of a selection or of a concatenation picks from what these read; one of a convolution is
the convolution with the picked outputs alone; an order of channels that weights read becomes the
order of the weights. So a channel that ShuffleNet hands from block to block is taken once, from the
neurons that it comes from.
"""

import dataclasses
from itertools import accumulate

import numpy as np

from ann2snn.conversion.analog_graph import ONE, AnalogGraph
from ann2snn.spec import Concat, Conv, Linear, Node, Select
from ann2snn.spec.nodes import Shape

Channel = tuple[str, int]
"""A node and one of its channels."""


def rewritten_selection(graph: AnalogGraph, node: Select) -> bool:
    """Rewrites a selection; whether it did."""
    return composed(graph, node) or _picked_outputs(graph, node) or _order_into_next(graph, node)


def is_permutation(graph: AnalogGraph, node: Node) -> bool:
    """Whether the node hands on each channel of one signal once."""
    if not isinstance(node, Select) or len(node.inputs) != 1:
        return False
    return sorted(node.channels) == list(range(graph.shapes()[node.inputs[0]][0]))


def composed(graph: AnalogGraph, node: Select | Concat) -> bool:
    """Lets the node read what the selections read that it reads; a selection also what the
    concatenations read."""
    through = Select if isinstance(node, Concat) else Select | Concat
    inner = [name for name in dict.fromkeys(node.inputs)
             if isinstance(graph.nodes[name], through)]  # fmt: skip
    if not inner:
        return False
    shapes = graph.shapes()
    found: list[Channel] = []
    for name in node.inputs:
        source = graph.nodes[name]
        if isinstance(source, Select | Concat) and name in inner:
            found += _channels(source, shapes)
        else:
            found += [(name, channel) for channel in range(shapes[name][0])]
    picked = [found[c] for c in node.channels] if isinstance(node, Select) else found
    for name in inner:
        into, _ = graph.merged.get(name, ("", ""))
        into = ", ".join(filter(None, (into, node.name)))
        graph.merged[name] = into, "picked from where the channels come from"
    _put(graph, node.name, picked, shapes)
    return True


def _channels(node: Select | Concat, shapes: dict[str, Shape]) -> list[Channel]:
    """The channels that the node hands on, by what it reads."""
    every = [(name, channel) for name in node.inputs for channel in range(shapes[name][0])]
    return [every[c] for c in node.channels] if isinstance(node, Select) else every


def _put(graph: AnalogGraph, name: str, picked: list[Channel], shapes: dict[str, Shape]) -> None:
    """Makes the node the plainest one that hands on these channels."""
    sources = tuple(dict.fromkeys(source for source, _ in picked))
    sizes = [shapes[source][0] for source in sources]
    first = dict(zip(sources, accumulate(sizes, initial=0), strict=False))
    channels = tuple(first[source] + channel for source, channel in picked)
    if channels != tuple(range(sum(sizes))):
        graph.nodes[name] = Select(name=name, inputs=sources, scale=ONE, channels=channels)
        return
    graph.nodes[name] = Concat(name=name, inputs=sources, scale=ONE)
    if len(sources) == 1:
        graph.remove(name, sources[0], "the channels are as they were")


def _picked_outputs(graph: AnalogGraph, node: Select) -> bool:
    """A Conv or Linear that selections alone read, each output at most once, becomes one for each
    of them, of the outputs that it picks."""
    source, readers = graph.nodes[node.inputs[0]], graph.readers(node.inputs[0])
    selections = [reader for reader in readers if isinstance(reader, Select)]
    picked = [channel for reader in selections for channel in reader.channels]
    if (
        not isinstance(source, Conv | Linear)
        or (isinstance(source, Conv) and source.groups > 1)
        or len(selections) < len(readers)
        or any(len(reader.inputs) > 1 for reader in selections)
        or len(set(picked)) < len(picked)
    ):
        return False
    for reader in selections:
        rows = [*reader.channels]
        graph.nodes[reader.name] = dataclasses.replace(
            source, name=reader.name, weight=source.weight[rows], bias=source.bias[rows]
        )
    del graph.nodes[source.name]
    into = ", ".join(reader.name for reader in selections)
    graph.merged[source.name] = into, "divided into the outputs that are picked"
    return True


def _order_into_next(graph: AnalogGraph, node: Select) -> bool:
    """Weights that read the channels in another order, in their own order, if all readers are
    Linear or ungrouped Conv."""
    readers = graph.readers(node.name)
    if not is_permutation(graph, node):
        return False
    for reader in readers:
        if not isinstance(reader, Conv | Linear) or (
            isinstance(reader, Conv) and reader.groups > 1
        ):
            return False
    for reader in readers:
        assert isinstance(reader, Conv | Linear)
        graph.change(reader.name, weight=reader.weight[:, np.argsort(node.channels)])
    into = ", ".join(sorted({reader.name for reader in readers}))
    graph.remove(node.name, into, "its order is that of the weights after it")
    return True
