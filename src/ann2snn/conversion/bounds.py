"""Model-based normalization: the largest activation that the weights allow for any such image."""

import numpy as np

from ann2snn.conversion.fold import per_input
from ann2snn.conversion.graph import AnalogGraph, window_sizes
from ann2snn.spec import Add, Affine, Concat, Conv, Linear, Neuron, Node, Reshape, SumPool
from ann2snn.spec.nodes import Array, Shape

Bounds = tuple[Array, Array]


def largest_possible(graph: AnalogGraph, pixels: tuple[float, float]) -> dict[str, float]:
    """An upper bound of every node's activations, for images whose pixels lie in [low, high].

    Diehl et al. 2015 ("Fast-classifying, high-accuracy spiking deep networks through weight and
    threshold balancing", algorithm 1) sum the positive weights of each neuron and take the largest
    sum of a layer, its inputs being at most 1; here with biases and for any graph: a neuron's
    activation is at most sum max(w, 0) h - sum max(-w, 0) l + b for inputs in [l, h], and a layer
    of neurons has one bound, its largest.
    """
    shapes = graph.shapes()
    bounds: dict[str, Bounds] = {}
    for node in graph:
        inputs = [bounds[name] for name in node.inputs]
        source = shapes[node.inputs[0]] if node.inputs else ()
        shape = shapes[node.name]
        if inputs:
            low, high = _bounds(node, inputs, source, shape)
        else:
            low, high = (np.full(shape[0], end) for end in pixels)
        ceiling = graph.ceilings.get(node.name, np.inf)
        bounds[node.name] = low, np.minimum(high, ceiling)
    return {name: max(float(high.max()), 0.0) for name, (_, high) in bounds.items()}


def _bounds(node: Node, inputs: list[Bounds], source: Shape, shape: Shape) -> Bounds:
    """Lowest and highest value of each channel (channels,)."""
    low, high = inputs[0]
    match node:
        case Conv() | Linear():
            if isinstance(node, Conv) and any(node.padding):
                low, high = np.minimum(low, 0), np.maximum(high, 0)
            axes = tuple(range(1, node.weight.ndim))
            rises, falls = np.maximum(node.weight, 0), np.minimum(node.weight, 0)
            lows, highs = per_input(node, low), per_input(node, high)
            return (
                (rises * lows + falls * highs).sum(axes) + node.bias,
                (rises * highs + falls * lows).sum(axes) + node.bias,
            )
        case Affine():
            form = (-1,) + (1,) * (len(shape) - 1)
            ends = [node.gain * end.reshape(form) + node.bias for end in (low, high)]
            both = np.stack([np.broadcast_to(end, shape) for end in ends])
            axes = (0, *range(2, both.ndim))
            return both.min(axes), both.max(axes)
        case Add():
            return sum(i[0] for i in inputs), sum(i[1] for i in inputs)  # type: ignore[return-value]
        case Concat():
            return np.concatenate([i[0] for i in inputs]), np.concatenate([i[1] for i in inputs])
        case Reshape() if len(shape) == 1 and len(source) == 3:
            repeats = source[1] * source[2]
            return np.repeat(low, repeats), np.repeat(high, repeats)
        case Reshape():
            return np.full(shape[0], low.min()), np.full(shape[0], high.max())
        case SumPool():
            sizes = window_sizes(node.rows, node.columns)
            ends = [sizes.min() * node.scale, sizes.max() * node.scale]
            return np.minimum(*(low * e for e in ends)), np.maximum(*(high * e for e in ends))
        case Neuron():
            return np.zeros(shape[0]), np.full(shape[0], max(float(high.max()), 0.0))
        case _:
            return low, high
