"""Exact rewritings of the analog graph: what is not a neuron or a weight goes into one that is.

Affine maps (batch norm, constants) go into the Conv or Linear before or after them, ReLUs move
before max-pools and reshapes, with which they commute, so that gates see spikes.
"""

import dataclasses
import math

import numpy as np

from ann2snn.conversion.graph import AnalogGraph, window_sizes
from ann2snn.spec import Affine, Conv, Linear, MaxPool, Neuron, Node, Reshape, SumPool
from ann2snn.spec.nodes import Array


def simplified(graph: AnalogGraph) -> AnalogGraph:
    """The graph after all rewritings; it is changed in place and handed back."""
    while any(_step(graph, node) for node in graph):
        pass
    return graph


def _step(graph: AnalogGraph, node: Node) -> bool:
    if node.name not in graph.nodes:
        return False
    if isinstance(node, Neuron):
        return _drop_repeated(graph, node) or _before_pool(graph, node)
    if isinstance(node, Affine):
        return (
            _into_previous(graph, node)
            or _before_linear_pool(graph, node)
            or _into_next(graph, node)
        )
    return False


def _drop_repeated(graph: AnalogGraph, node: Neuron) -> bool:
    """A ReLU of what another ReLU gave changes nothing, unless it clips lower."""
    source = graph.nodes[node.inputs[0]]
    while isinstance(source, MaxPool | Reshape):
        source = graph.nodes[source.inputs[0]]
    if not isinstance(source, Neuron) or node.name in graph.ceilings:
        return False
    graph.remove(node.name, node.inputs[0], "a ReLU of a ReLU changes nothing")
    return True


def _before_pool(graph: AnalogGraph, node: Neuron) -> bool:
    """relu(pool(x)) = pool(relu(x)) for max-pools, which commute with monotone functions."""
    source = graph.nodes[node.inputs[0]]
    if not isinstance(source, MaxPool | Reshape) or len(graph.readers(source.name)) > 1:
        return False
    graph.swap(source.name, node.name)
    return True


def _into_previous(graph: AnalogGraph, node: Affine) -> bool:
    """g (W x + b) + c = (g W) x + (g b + c): W~ and b~ of Rueckauer et al. 2016, section 2."""
    source = graph.nodes[node.inputs[0]]
    if not isinstance(source, Conv | Linear | Affine) or len(graph.readers(source.name)) > 1:
        return False
    if isinstance(source, Affine):
        gain, bias = source.gain * node.gain, source.bias * node.gain + node.bias
        graph.change(source.name, gain=gain, bias=bias)
    else:
        gain_bias = _per_channel(graph, node)
        if gain_bias is None:
            return False
        gain, bias = gain_bias
        form = (-1,) + (1,) * (source.weight.ndim - 1)
        graph.change(
            source.name, weight=source.weight * gain.reshape(form), bias=source.bias * gain + bias
        )
    graph.remove(node.name, source.name, "folded into the weights before it")
    return True


def _before_linear_pool(graph: AnalogGraph, node: Affine) -> bool:
    """Moves an affine map before a pool that a Conv or Linear feeds, to be folded there.

    An average of full windows commutes with every affine map, a maximum with those of positive
    gain.
    """
    pool = graph.nodes[node.inputs[0]]
    if not isinstance(pool, SumPool | MaxPool) or len(graph.readers(pool.name)) > 1:
        return False
    source = graph.nodes[pool.inputs[0]]
    if not isinstance(source, Conv | Linear | Affine) or len(graph.readers(source.name)) > 1:
        return False
    gain_bias = _per_channel(graph, node)
    if gain_bias is None:
        return False
    if isinstance(pool, MaxPool):
        commutes = bool((gain_bias[0] > 0).all())
    else:
        sizes = window_sizes(pool.rows, pool.columns)
        commutes = not gain_bias[1].any() or bool(np.isclose(sizes * pool.scale, 1, 1e-12).all())
    if commutes:
        graph.swap(pool.name, node.name)
    return commutes


def _into_next(graph: AnalogGraph, node: Affine) -> bool:
    """W (g x + c) + b = (W g) x + (W c + b), if all readers are Conv or Linear.

    Zeros that a Conv pads are not shifted by c, so it takes a c other than 0 only without padding.
    """
    readers = graph.readers(node.name)
    gain_bias = _per_channel(graph, node)
    if gain_bias is None or not readers:
        return False
    gain, bias = gain_bias
    for reader in readers:
        padded = isinstance(reader, Conv) and any(reader.padding)
        if not isinstance(reader, Conv | Linear) or (padded and bias.any()):
            return False
    for reader in readers:
        assert isinstance(reader, Conv | Linear)
        weight = per_input(reader, gain)
        shift = per_input(reader, bias)
        axes = tuple(range(1, reader.weight.ndim))
        graph.change(
            reader.name,
            weight=reader.weight * weight,
            bias=reader.bias + (reader.weight * shift).sum(axes),
        )
    into = ", ".join(sorted({reader.name for reader in readers}))
    graph.remove(node.name, into, "folded into the weights after it")
    return True


def per_input(node: Conv | Linear, values: Array) -> Array:
    """One value for each input channel, in a shape that multiplies the node's weight."""
    if isinstance(node, Linear):
        return np.broadcast_to(values, node.weight.shape[1:])[None, :]
    outputs, width = node.weight.shape[:2]
    groups = np.arange(outputs) // (outputs // node.groups)
    channels = groups[:, None] * width + np.arange(width)
    chosen: Array = np.broadcast_to(values, (width * node.groups,))[channels]
    return chosen[:, :, None, None]


def _per_channel(graph: AnalogGraph, node: Affine) -> tuple[Array, Array] | None:
    """Gain and bias as (channels,), or None where they differ by position."""
    shape = graph.shapes()[node.name]
    found = []
    for values in (node.gain, node.bias):
        if math.prod(values.shape[-2:] if len(shape) == 3 else ()) != 1:
            return None
        channels = values.reshape(-1) if values.ndim == len(shape) else values.reshape(-1)[:1]
        found.append(np.broadcast_to(channels, shape[:1]))
    return found[0], found[1]


def with_average_pools(graph: AnalogGraph) -> AnalogGraph:
    """Every max-pool replaced by the average of its windows, as Cao et al. (2015) did."""
    for node in graph:
        if isinstance(node, MaxPool):
            sizes = {(b - a) * (d - c) for a, b in node.rows for c, d in node.columns}
            fields = {f.name: getattr(node, f.name) for f in dataclasses.fields(SumPool)}
            if len(sizes) == 1:
                graph.nodes[node.name] = SumPool(**fields | {"scale": np.array(1 / sizes.pop())})
                continue
            graph.nodes[node.name] = SumPool(**fields)
            gain = 1 / window_sizes(node.rows, node.columns)[None]
            divided = Affine(
                name=graph.fresh_name(f"{node.name}.affine"), inputs=(node.name,),
                scale=np.ones(()), gain=gain, bias=np.zeros(()),
            )  # fmt: skip
            graph.redirect(node.name, divided.name)
            graph.insert_after(node.name, divided)
    return graph
