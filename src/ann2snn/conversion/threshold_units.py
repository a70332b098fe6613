"""From the analog graph and scales from statistics to nodes in units of the threshold.

Every signal carries its scale, one number or one per channel. A Conv, Linear or Affine takes its
input's scale into its weights: W <- W lambda_in / lambda_out, b <- b / lambda_out (Rueckauer et al.
2016); so a concatenation needs no common scale. A sum does: branches of other scales pass an
`Affine` gain, which is no neuron.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ann2snn.conversion.analog_graph import ONE, AnalogGraph, along, per_input
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
from ann2snn.spec.nodes import Array, Shape

# (node, graph, whether its reader asks for a scale) -> whether its scale comes from statistics
POINTS: Interpretation[Callable[..., bool]] = Interpretation("rule for the origin of its scale")
POINTS.of(Neuron)(lambda *_: True)
POINTS.of(Conv, Linear, Affine, Add)(lambda _node, _graph, asked: not asked)
POINTS.of(Output)(lambda node, graph, _: not isinstance(graph.nodes[node.inputs[0]], Neuron))
POINTS.of(Input, SumPool, MaxPool, Reshape, Concat, Select)(lambda *_: False)

# (node, its scale, shapes of its inputs) -> the scale that it asks each input for; [] takes any
ASKED: Interpretation[Callable[..., list[Array]]] = Interpretation("rule for the scale of inputs")
ASKED.of(Input, Conv, Linear, Affine)(lambda *_: [])
ASKED.of(Neuron, Output, Add, MaxPool)(lambda node, scale, _: [scale] * len(node.inputs))
ASKED.of(SumPool)(lambda node, scale, _: [scale / node.scale])

# (node, scales of its inputs, their shapes, its own scale or None) -> the scale of its signal
SCALES: Interpretation[Callable[..., Array]] = Interpretation("scale")
SCALES.of(Input)(lambda node, *_: node.scale)
SCALES.of(Conv, Linear, Add, Neuron)(lambda _node, _incoming, _sources, own: own)
SCALES.of(Affine)(lambda _, incoming, __, own: incoming[0] if own is None else own)
SCALES.of(SumPool)(lambda node, incoming, *_: np.array(incoming[0] * node.scale))
SCALES.of(MaxPool)(lambda _, incoming, *__: incoming[0])

# (node, its scale) -> whether its inputs must come in that scale
COMMON: Interpretation[Callable[..., bool]] = Interpretation("rule for inputs of other scales")
COMMON.of(Input, Conv, Linear, Affine, SumPool, MaxPool, Concat, Select)(lambda *_: False)
COMMON.of(Add, Neuron, Output)(lambda *_: True)
COMMON.of(Reshape)(lambda _, scale: not scale.ndim)

# (node, scales of its inputs, its scale, its shape) -> its weights in units of the threshold
WEIGHTS: Interpretation[Callable[..., dict[str, Array]]] = Interpretation("weights in thresholds")
WEIGHTS.of(Input, Add, Concat, Select, Reshape, SumPool, MaxPool, Neuron, Output)(lambda *_: {})


@ASKED.of(Concat)
def _pieces(node: Concat, scale: Array, sources: list[Shape]) -> list[Array]:
    ends = np.cumsum([source[0] for source in sources])[:-1]
    return np.split(scale, ends) if scale.ndim else [scale] * len(node.inputs)


@SCALES.of(Concat)
def _joined(_: Concat | Select, incoming: list[Array], sources: list[Shape], _own: object) -> Array:
    first = incoming[0]
    if not first.ndim and all(np.array_equal(scale, first) for scale in incoming):
        return first
    pairs = zip(incoming, sources, strict=True)
    return np.concatenate([np.broadcast_to(scale, source[:1]) for scale, source in pairs])


@ASKED.of(Select)
def _of_chosen(node: Select, scale: Array, sources: list[Shape]) -> list[Array]:
    """That of each channel, and the largest for those that are not selected."""
    whole = np.full(sum(source[0] for source in sources), scale.max())
    whole[[*node.channels]] = scale
    ends = np.cumsum([source[0] for source in sources])[:-1]
    return np.split(whole, ends) if scale.ndim else [scale] * len(node.inputs)


@SCALES.of(Select)
def _chosen(node: Select, incoming: list[Array], sources: list[Shape], own: object) -> Array:
    joined = _joined(node, incoming, sources, own)
    return joined[[*node.channels]] if joined.ndim else joined


@ASKED.of(Reshape)
def _before(_: Reshape, scale: Array, sources: list[Shape]) -> list[Array]:
    """The scale that becomes `scale`, as near as one per channel can be."""
    if scale.ndim and scale.size == np.prod(sources[0]):
        rows = scale.reshape(sources[0][0], -1)
        if (rows == rows[:, :1]).all():
            return [np.array(rows[:, 0])]
    return [np.array(scale.max())]


@SCALES.of(Reshape)
def _after(node: Reshape, incoming: list[Array], sources: list[Shape], _: object) -> Array:
    """One per channel, or one for all where a channel would have several."""
    (scale,), (source,) = incoming, sources
    spread = np.broadcast_to(along(scale, len(source)), source).reshape(node.shape[0], -1)
    mixed = not scale.ndim or (spread != spread[:, :1]).any()
    return np.array(scale.max() if mixed else spread[:, 0])


@SCALES.of(Output)
def _of_classes(_: Output, incoming: list[Array], _sources: object, own: Array | None) -> Array:
    """One for all classes, since they are compared."""
    return np.array(incoming[0].max()) if own is None else own


@WEIGHTS.of(Conv, Linear)
def _weighted(
    node: Conv | Linear, incoming: list[Array], scale: Array, _: Shape
) -> dict[str, Array]:
    weight, out = node.weight * per_input(node, incoming[0]), np.broadcast_to(scale, len(node.bias))
    return {"weight": weight / along(out, weight.ndim), "bias": node.bias / out}


@WEIGHTS.of(Affine)
def _multiplied(
    node: Affine, incoming: list[Array], scale: Array, shape: Shape
) -> dict[str, Array]:
    out = along(scale, len(shape))
    return {"gain": node.gain * along(incoming[0], len(shape)) / out, "bias": node.bias / out}


def own_scales(
    graph: AnalogGraph, from_statistics: Callable[[str], Array | None]
) -> dict[str, Array]:
    """The scale of every node that has its own: from statistics by name, or as its reader asks."""
    shapes = graph.shapes()
    asked: dict[str, Array] = {}
    own: dict[str, Array] = {}
    for node in reversed(list(graph)):
        is_point = POINTS[node](node, graph, node.name in asked)
        scale = from_statistics(node.name) if is_point else asked.get(node.name)
        if scale is not None:
            own[node.name] = scale
            wanted = ASKED[node](node, scale, [shapes[name] for name in node.inputs])
            for source, its_scale in zip(node.inputs, wanted, strict=False):
                if len(graph.readers(source)) == 1:
                    asked[source] = its_scale
    return own


def scale_points(graph: AnalogGraph) -> list[str]:
    """Names of the nodes whose scale comes from statistics, in order.

    They are all neurons, the output unless neurons feed it, and the currents whose scale no reader
    fixes: those that several nodes read, or weights alone.
    """
    found: list[str] = []

    def noted(name: str) -> Array:
        found.append(name)
        return ONE

    own_scales(graph, noted)
    return found[::-1]


def rescaled(graph: AnalogGraph, points: Mapping[str, Array]) -> list[Node]:
    """The nodes of a spec whose neurons fire at 1; the output's scale is one number.

    `points` are the scales that come from statistics. An `Affine` that divides an average-pool in
    the place of a max-pool has none there, and keeps the scale of its input.
    """
    shapes = graph.shapes()
    own = own_scales(graph, points.get)
    scales: dict[str, Array] = {}
    nodes: list[Node] = []
    for node in graph:
        incoming = [scales[name] for name in node.inputs]
        sources = [shapes[name] for name in node.inputs]
        scale = SCALES[node](node, incoming, sources, own.get(node.name))
        inputs = list(node.inputs)
        for place, source in enumerate(node.inputs if COMMON[node](node, scale) else ()):
            gain = scales[source] / scale
            if (gain != 1).any():
                inputs[place] = graph.fresh_name(f"{node.name}.gain", taken=scales)
                scales[inputs[place]] = scale
                fields = {"gain": along(gain, len(shapes[source])), "bias": np.zeros(())}
                nodes.append(Affine(name=inputs[place], inputs=(source,), scale=scale, **fields))
        scales[node.name] = scale
        changed: dict[str, Any] = WEIGHTS[node](node, incoming, scale, shapes[node.name])
        nodes.append(dataclasses.replace(node, scale=scale, inputs=tuple(inputs), **changed))
    return nodes
