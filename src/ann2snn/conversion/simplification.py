"""Exact rewritings of the analog graph, after which only weights, sums, pools and neurons are left.

Affine maps (batch norm, constants) go into the Conv or Linear before or after them, zeros around a
signal into the Conv after them. ReLUs move before the max-pools, reshapes and orders of channels
with which they commute, so that a pool gets spikes. A rewriting names the neighbours for which it
is exact; beside any other kind a node stays as it is.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from ann2snn.conversion.analog_graph import ONE, AnalogGraph, along, per_input, window_sizes
from ann2snn.conversion.selections import composed, is_permutation, rewritten_selection
from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Node,
    Output,
    Reshape,
    Select,
    SumPool,
)
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import Array

# (graph, node) -> whether it was rewritten
REWRITINGS: Interpretation[Callable[..., bool]] = Interpretation("rewriting")
REWRITINGS.of(Input, Linear, Add, Reshape, SumPool, MaxPool, Output)(lambda *_: False)
REWRITINGS.of(Concat)(composed)
REWRITINGS.of(Select)(rewritten_selection)


def simplified(graph: AnalogGraph) -> AnalogGraph:
    """The graph after all rewritings; it is changed in place and handed back."""
    while any(_unread(graph, node) or REWRITINGS[node](graph, node) for node in graph):
        pass
    return graph


def _unread(graph: AnalogGraph, node: Node) -> bool:
    """Drops a node whose signal nothing reads, as where no channel of it is picked."""
    if isinstance(node, Input | Output) or graph.readers(node.name):
        return False
    for table in (graph.nodes, graph.ceilings, graph.levels):
        table.pop(node.name, None)
    graph.merged.setdefault(node.name, ("", "nothing reads it"))
    return True


@REWRITINGS.of(Conv)
def _zeros_into_next(graph: AnalogGraph, node: Conv) -> bool:
    """Moves zeros around a signal into the padding of its readers, if all of them are Conv."""
    readers = graph.readers(node.name)
    only_pads = (
        any(node.padding)
        and node.weight.shape == (node.groups, 1, 1, 1)
        and node.stride == (1, 1)
        and bool((node.weight == 1).all())
        and not node.bias.any()
    )
    if not only_pads or not all(isinstance(reader, Conv) for reader in readers):
        return False
    for reader in readers:
        assert isinstance(reader, Conv)
        both = tuple(a + b for a, b in zip(node.padding, reader.padding, strict=True))
        graph.change(reader.name, padding=both)
    into = ", ".join(sorted({reader.name for reader in readers}))
    graph.remove(node.name, into, "zeros that the convolution pads")
    return True


@REWRITINGS.of(Neuron)
def _rewritten_neuron(graph: AnalogGraph, node: Neuron) -> bool:
    return _drop_repeated(graph, node) or _before_pool(graph, node)


@REWRITINGS.of(Affine)
def _rewritten_affine(graph: AnalogGraph, node: Affine) -> bool:
    return (
        _into_previous(graph, node) or _before_linear_pool(graph, node) or _into_next(graph, node)
    )


def _drop_repeated(graph: AnalogGraph, node: Neuron) -> bool:
    """A ReLU of what another ReLU gave changes nothing, unless it clips lower."""
    if node.name in graph.ceilings or not _rectified(graph, node.inputs[0]):
        return False
    graph.remove(node.name, node.inputs[0], "a ReLU of a ReLU changes nothing")
    return True


def _rectified(graph: AnalogGraph, name: str) -> bool:
    """Whether the signal is made of what ReLUs gave, in other places."""
    node = graph.nodes[name]
    if not isinstance(node, MaxPool | Reshape | Select | Concat):
        return isinstance(node, Neuron)
    return all(_rectified(graph, source) for source in node.inputs)


def _before_pool(graph: AnalogGraph, node: Neuron) -> bool:
    """relu(pool(x)) = pool(relu(x)) for max-pools, which commute with monotone functions."""
    source = graph.nodes[node.inputs[0]]
    moves = isinstance(source, MaxPool | Reshape) or is_permutation(graph, source)
    if not moves or len(graph.readers(source.name)) > 1:
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
        weight = source.weight * along(gain, source.weight.ndim)
        graph.change(source.name, weight=weight, bias=source.bias * gain + bias)
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
        axes = tuple(range(1, reader.weight.ndim))
        shift = (reader.weight * per_input(reader, bias)).sum(axes)
        weight = reader.weight * per_input(reader, gain)
        graph.change(reader.name, weight=weight, bias=reader.bias + shift)
    into = ", ".join(sorted({reader.name for reader in readers}))
    graph.remove(node.name, into, "folded into the weights after it")
    return True


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
    """A copy with every max-pool replaced by the average of its windows (Cao et al. 2015)."""
    graph = dataclasses.replace(graph, nodes=dict(graph.nodes))
    for node in graph:
        if isinstance(node, MaxPool):
            fields = {f.name: getattr(node, f.name) for f in dataclasses.fields(SumPool)}
            sizes = window_sizes(node.rows, node.columns)
            if (sizes == sizes[0, 0]).all():
                graph.nodes[node.name] = SumPool(**fields | {"scale": np.array(1 / sizes[0, 0])})
                continue
            graph.nodes[node.name] = SumPool(**fields)
            divided = Affine(
                name=graph.fresh_name(f"{node.name}.affine"), inputs=(node.name,), scale=ONE,
                gain=1 / sizes[None], bias=np.zeros(()),
            )  # fmt: skip
            graph.redirect(node.name, divided.name)
            graph.insert_after(node.name, divided)
    return graph
