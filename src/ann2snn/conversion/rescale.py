"""From the analog graph and its scales to nodes in units of the threshold.

Every signal carries its scale, one number or one a channel. A Conv, Linear or Affine takes its
input's scale into its weights: W <- W lambda_in / lambda_out, b <- b / lambda_out (Rueckauer et al.
2016); so a concatenation needs no common scale. A sum does: branches of other scales pass an
`Affine` gain, which is no neuron.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from ann2snn.conversion.fold import per_input
from ann2snn.conversion.graph import AnalogGraph
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
    SumPool,
)
from ann2snn.spec.nodes import Array, Shape

Scales = Mapping[str, Array]


def rescaled(graph: AnalogGraph, points: Scales) -> list[Node]:
    """The nodes of a spec whose neurons fire at 1; the output's scale is one number."""
    return _Rescaling(graph, points).nodes


class _Rescaling:
    def __init__(self, graph: AnalogGraph, points: Scales) -> None:
        self.graph = graph
        self.shapes: dict[str, Shape] = graph.shapes()
        self.own = self._own_scales(points)
        self.scales: dict[str, Array] = {}
        self.nodes: list[Node] = []
        for node in graph:
            self._put(node)

    def _own_scales(self, points: Scales) -> dict[str, Array]:
        """The scale of nodes that are free to have one: their point's, or what the reader asks."""
        asked: dict[str, Array] = {}
        own: dict[str, Array] = {}
        for node in reversed(list(self.graph)):
            scale = points.get(node.name, asked.get(node.name))
            if scale is None:
                continue
            own[node.name] = scale
            for source, wanted in self._wishes(node, scale):
                if len(self.graph.readers(source)) == 1:
                    asked[source] = wanted
        return own

    def _wishes(self, node: Node, scale: Array) -> list[tuple[str, Array]]:
        """The scale that a node of `scale` would have each of its inputs in."""
        if isinstance(node, SumPool):
            return [(node.inputs[0], scale / node.scale)]
        if isinstance(node, Reshape):
            return [(node.inputs[0], _unflattened(scale, self.shapes[node.inputs[0]]))]
        if isinstance(node, Concat):
            ends = np.cumsum([self.shapes[name][0] for name in node.inputs])[:-1]
            pieces = np.split(scale, ends) if scale.ndim else [scale] * len(node.inputs)
            return list(zip(node.inputs, pieces, strict=True))
        if isinstance(node, Neuron | Output | Add | MaxPool | Affine):
            return [(source, scale) for source in node.inputs]
        return []

    def _put(self, node: Node) -> None:
        """Appends the node in its units, with the gains that its inputs need."""
        incoming = [self.scales[name] for name in node.inputs]
        scale = self._scale_of(node, incoming)
        self.scales[node.name] = scale
        match node:
            case Conv() | Linear():
                weight = node.weight * per_input(node, incoming[0])
                out = np.broadcast_to(scale, node.bias.shape)
                form = (-1,) + (1,) * (node.weight.ndim - 1)
                changed: Node = dataclasses.replace(
                    node, scale=scale, weight=weight / out.reshape(form), bias=node.bias / out
                )
            case Affine():
                axes = len(self.shapes[node.name])
                out = _along(scale, axes)
                changed = dataclasses.replace(
                    node,
                    scale=scale,
                    gain=node.gain * _along(incoming[0], axes) / out,
                    bias=node.bias / out,
                )
            case Reshape() if not _keeps_units(incoming[0], node, self.shapes[node.inputs[0]]):
                changed = dataclasses.replace(
                    node, scale=scale, inputs=(self._brought(node, node.inputs[0], scale),)
                )
            case Add() | Neuron() | Output():
                inputs = tuple(self._brought(node, name, scale) for name in node.inputs)
                changed = dataclasses.replace(node, scale=scale, inputs=inputs)
            case _:
                changed = dataclasses.replace(node, scale=scale)
        self.nodes.append(changed)

    def _scale_of(self, node: Node, incoming: list[Array]) -> Array:
        match node:
            case Input():
                return node.scale
            case SumPool():
                return np.array(incoming[0] * node.scale)
            case MaxPool():
                return incoming[0]
            case Reshape():
                source = self.shapes[node.inputs[0]]
                if not incoming[0].ndim or not _keeps_units(incoming[0], node, source):
                    return np.array(incoming[0].max())
                return np.array(_spread(incoming[0], source, node.shape)[:, 0])
            case Concat():
                first = incoming[0]
                if not first.ndim and all(np.array_equal(scale, first) for scale in incoming):
                    return first
                widths = [self.shapes[name][0] for name in node.inputs]
                parts = [np.broadcast_to(s, (w,)) for s, w in zip(incoming, widths, strict=True)]
                return np.concatenate(parts)
            case Affine() if node.name not in self.own:
                return incoming[0]
            case Output() if node.name not in self.own:
                return np.array(incoming[0].max())
            case _:
                return self.own[node.name]

    def _brought(self, reader: Node, source: str, scale: Array) -> str:
        """The name of `source`'s signal in units of `scale`, behind an `Affine` gain if need be."""
        gain = self.scales[source] / scale
        if (gain == 1).all():
            return source
        name = self._fresh(f"{reader.name}.gain")
        axes = len(self.shapes[source])
        self.nodes.append(
            Affine(
                name=name,
                inputs=(source,),
                scale=scale,
                gain=_along(gain, axes),
                bias=np.zeros(()),
            )
        )
        self.scales[name] = scale
        return name

    def _fresh(self, wanted: str) -> str:
        name, count = wanted, 2
        while name in self.scales or name in self.graph.nodes:
            name, count = f"{wanted}.{count}", count + 1
        return name


def _along(scale: Array, axes: int) -> Array:
    """A scale shaped to multiply a signal of `axes` axes."""
    return scale.reshape(-1, *[1] * (axes - 1)) if scale.ndim else scale


def _spread(scale: Array, source: Shape, target: Shape) -> Array:
    """The scale of every number of a reshaped signal (channels, numbers of a channel)."""
    whole: Array = np.broadcast_to(_along(scale, len(source)), source).reshape(target[0], -1)
    return whole


def _keeps_units(scale: Array, node: Reshape, source: Shape) -> bool:
    """Whether each channel after the reshape has one scale."""
    rows = _spread(scale, source, node.shape)
    return bool((rows == rows[:, :1]).all())


def _unflattened(scale: Array, source: Shape) -> Array:
    """The scale before a reshape that gives `scale` after it, as near as channels allow."""
    if not scale.ndim:
        return scale
    if scale.size == np.prod(source):
        rows = scale.reshape(source[0], -1)
        if (rows == rows[:, :1]).all():
            return np.array(rows[:, 0])
    return np.array(scale.max())
