"""What an event costs: fan-out with exact borders, and the analog network's multiply-accumulates.

An event is a unit whose signal is not 0 in a step: a spike, or the sum of a pool's window that
holds any.
"""

import math

import numpy as np
import numpy.typing as npt

from ann2snn.spec.graph import SpikingSpec
from ann2snn.spec.nodes import Conv, Linear, Node

Counts = npt.NDArray[np.int64]


def fan_out(spec: SpikingSpec, node: Node) -> Counts:
    """Synapses that leave each input unit of a Conv or Linear node, in the shape of its input.

    A unit near a border of a convolution reaches fewer output positions than one in the middle.
    """
    shape = spec.shapes[node.inputs[0]]
    if isinstance(node, Linear):
        return np.full(shape, node.weight.shape[0], np.int64)
    assert isinstance(node, Conv)
    _, rows, columns = spec.shapes[node.name]
    top, _, left, _ = node.padding
    kernel = node.weight.shape[2:]
    vertical = _reach(shape[1], rows, kernel[0], node.stride[0], top, node.dilation[0])
    horizontal = _reach(shape[2], columns, kernel[1], node.stride[1], left, node.dilation[1])
    filters = node.weight.shape[0] // node.groups
    return np.broadcast_to(filters * np.outer(vertical, horizontal), shape).copy()


def _reach(size: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> Counts:
    """How many output positions of one axis see each input position."""
    reach = np.zeros(size, np.int64)
    for tap in range(kernel):
        seen = np.arange(count) * stride - padding + tap * dilation
        reach[seen[(seen >= 0) & (seen < size)]] += 1
    return reach


def multiply_accumulates(spec: SpikingSpec, node: Node) -> int:
    """Multiplications of one analog forward pass in a Conv or Linear node; padding costs none."""
    return int(fan_out(spec, node).sum()) if isinstance(node, Conv | Linear) else 0


def macs_per_image(spec: SpikingSpec) -> int:
    """Multiply-accumulates of the analog network for one image: all Conv and Linear nodes."""
    return sum(multiply_accumulates(spec, node) for node in spec)


def parameters(node: Node) -> int:
    """Weights and biases of a node."""
    return sum(
        math.prod(array.shape)
        for array in (getattr(node, "weight", None), getattr(node, "bias", None))
        if array is not None
    )
