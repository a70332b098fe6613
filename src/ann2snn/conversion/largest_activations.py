"""Upper bounds of activations, computed from weights and the range of pixels, without images."""

from collections.abc import Callable

import numpy as np

from ann2snn.conversion.analog_graph import AnalogGraph, per_input, window_sizes
from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Output,
    Reshape,
    Select,
    SumPool,
)
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import Array, Shape

Bounds = tuple[Array, Array]


def largest_possible(graph: AnalogGraph, pixels: tuple[float, float]) -> dict[str, float]:
    """An upper bound of every node's activations, for images whose pixels lie in [low, high].

    Diehl et al. 2015 ("Fast-classifying, high-accuracy spiking deep networks through weight and
    threshold balancing", algorithm 1) sum the positive weights of each neuron and take the largest
    sum of a layer, its inputs being at most 1. Here biases count too and any graph is allowed: for
    inputs in [l, h], a neuron's activation is at most sum max(w, 0) h - sum max(-w, 0) l + b, and
    all neurons of a layer have its largest bound.
    """
    shapes = graph.shapes()
    image: Bounds = (np.array(pixels[0]), np.array(pixels[1]))
    bounds: dict[str, Bounds] = {}
    for node in graph:
        inputs = [bounds[name] for name in node.inputs] or [image]
        sources = [shapes[name] for name in node.inputs]
        low, high = BOUNDS[node](node, inputs, sources, shapes[node.name])
        bounds[node.name] = low, np.minimum(high, graph.ceilings.get(node.name, np.inf))
    return {name: max(float(high.max()), 0.0) for name, (_, high) in bounds.items()}


# (node, bounds of its inputs, their shapes, its shape) -> lowest and highest value per channel
BOUNDS: Interpretation[Callable[..., Bounds]] = Interpretation("largest activation")
BOUNDS.of(MaxPool, Output)(lambda _node, inputs, _sources, _shape: inputs[0])


@BOUNDS.of(Input)
def _of_pixels(_node: Input, inputs: list[Bounds], _sources: list[Shape], shape: Shape) -> Bounds:
    low, high = inputs[0]
    return np.full(shape[0], low), np.full(shape[0], high)


@BOUNDS.of(Conv, Linear)
def _of_weights(
    node: Conv | Linear, inputs: list[Bounds], _sources: list[Shape], _shape: Shape
) -> Bounds:
    low, high = inputs[0]
    if isinstance(node, Conv) and any(node.padding):
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    axes = tuple(range(1, node.weight.ndim))
    rises, falls = np.maximum(node.weight, 0), np.minimum(node.weight, 0)
    lows, highs = per_input(node, low), per_input(node, high)
    return (
        (rises * lows + falls * highs).sum(axes) + node.bias,
        (rises * highs + falls * lows).sum(axes) + node.bias,
    )


@BOUNDS.of(Affine)
def _of_affine(node: Affine, inputs: list[Bounds], _sources: list[Shape], shape: Shape) -> Bounds:
    form = (-1,) + (1,) * (len(shape) - 1)
    ends = [node.gain * end.reshape(form) + node.bias for end in inputs[0]]
    both = np.stack([np.broadcast_to(end, shape) for end in ends])
    axes = (0, *range(2, both.ndim))
    return both.min(axes), both.max(axes)


@BOUNDS.of(Add)
def _of_sum(_node: Add, inputs: list[Bounds], _sources: list[Shape], _shape: Shape) -> Bounds:
    lows, highs = zip(*inputs, strict=True)
    return np.sum(lows, axis=0), np.sum(highs, axis=0)


@BOUNDS.of(Concat)
def _of_parts(_node: Concat, inputs: list[Bounds], _sources: list[Shape], _shape: Shape) -> Bounds:
    lows, highs = zip(*inputs, strict=True)
    return np.concatenate(lows), np.concatenate(highs)


@BOUNDS.of(Select)
def _of_selected(
    node: Select, inputs: list[Bounds], _sources: list[Shape], _shape: Shape
) -> Bounds:
    lows, highs = zip(*inputs, strict=True)
    return np.concatenate(lows)[[*node.channels]], np.concatenate(highs)[[*node.channels]]


@BOUNDS.of(Reshape)
def _of_reshaped(
    _node: Reshape, inputs: list[Bounds], sources: list[Shape], shape: Shape
) -> Bounds:
    (low, high), source = inputs[0], sources[0]
    if len(shape) == 1 and len(source) == 3:
        repeats = source[1] * source[2]
        return np.repeat(low, repeats), np.repeat(high, repeats)
    return np.full(shape[0], low.min()), np.full(shape[0], high.max())


@BOUNDS.of(SumPool)
def _of_windows(
    node: SumPool, inputs: list[Bounds], _sources: list[Shape], _shape: Shape
) -> Bounds:
    (low, high), sizes = inputs[0], window_sizes(node.rows, node.columns)
    ends = [sizes.min() * node.scale, sizes.max() * node.scale]
    return np.minimum(*(low * end for end in ends)), np.maximum(*(high * end for end in ends))


@BOUNDS.of(Neuron)
def _of_neurons(_node: Neuron, inputs: list[Bounds], _sources: list[Shape], shape: Shape) -> Bounds:
    return np.zeros(shape[0]), np.full(shape[0], max(float(inputs[0][1].max()), 0.0))
