"""Currents that do not change with time: computed once an image, exactly, for every engine."""

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Node,
    Reshape,
    SpikingSpec,
    SumPool,
)  # fmt: skip

Tensor = torch.Tensor


def static_signals(spec: SpikingSpec, images: npt.NDArray[np.integer]) -> dict[str, Tensor]:
    """The signal of every static node, float64 (images, *shape), for pixels k / spec.levels.

    Sums run over whole numbers k and weights on the grid, so they are exact in float64 whatever
    their order; the one division comes last, and the result is rounded to the grid (half to even).
    """
    signals: dict[str, Tensor] = {}
    for node in spec:
        if not spec.is_static(node.name):
            continue
        if isinstance(node, Input):
            signals[node.name] = torch.from_numpy(images.astype(np.float64))
            continue
        if isinstance(node, Conv | Linear) and isinstance(spec[node.inputs[0]], Input):
            # weights times k first, then one division, then the bias: it is on the grid itself
            whole = linear_map(node, signals[node.inputs[0]], with_bias=False)
            value = whole / spec.levels + bias_of(node)
        else:
            inputs = [
                signals[name] / spec.levels if isinstance(spec[name], Input) else signals[name]
                for name in node.inputs
            ]
            value = applied(node, inputs)
        signals[node.name] = rounded(value, spec.grid)
    if spec.input.name in signals:
        signals[spec.input.name] = rounded(signals[spec.input.name] / spec.levels, spec.grid)
    return signals


def rounded(value: Tensor, grid: int | None) -> Tensor:
    """The nearest multiples of 2^-grid, half to even."""
    return value if grid is None else torch.round(value * 2.0**grid) / 2.0**grid


def applied(node: Node, inputs: list[Tensor]) -> Tensor:
    """What a node without state makes of its inputs (images, *shape), in their precision."""
    match node:
        case Conv() | Linear():
            return linear_map(node, inputs[0], with_bias=True)
        case Affine():
            gain, bias = (torch.from_numpy(a).to(inputs[0]) for a in (node.gain, node.bias))
            return inputs[0] * gain + bias
        case Add():
            total = inputs[0]
            for other in inputs[1:]:
                total = total + other
            return total
        case Concat():
            return torch.cat(inputs, 1)
        case Reshape():
            return inputs[0].reshape(len(inputs[0]), *node.shape)
        case SumPool():
            return windowed(node, inputs[0]).sum(-1)
        case MaxPool():
            return windowed(node, inputs[0], outside=-torch.inf).amax(-1)
        case _:
            raise AssertionError(f"{node.kind} keeps a state")


def linear_map(node: Conv | Linear, signal: Tensor, *, with_bias: bool) -> Tensor:
    """Weights times the signal, in the signal's precision."""
    weight = torch.from_numpy(node.weight).to(signal)
    bias = torch.from_numpy(node.bias).to(signal) if with_bias else None
    if isinstance(node, Linear):
        return F.linear(signal, weight, bias)
    top, bottom, left, right = node.padding
    if top != bottom or left != right:
        signal = F.pad(signal, (left, right, top, bottom))
        top = left = 0
    return F.conv2d(signal, weight, bias, node.stride, (top, left), node.dilation, node.groups)


def bias_of(node: Conv | Linear) -> Tensor:
    """The bias in float64, shaped to add to the node's signal."""
    bias = torch.from_numpy(node.bias)
    return bias if isinstance(node, Linear) else bias.view(-1, 1, 1)


def windowed(node: SumPool | MaxPool, signal: Tensor, outside: float = 0) -> Tensor:
    """The inputs of every window (..., rows, columns, window), in row-major order.

    A window smaller than the largest is filled up with `outside`.
    """
    index, valid = window_indices(node, signal.shape[-1], signal.device)
    gathered = signal.flatten(-2)[..., index]
    if not bool(valid.all()):
        gathered = torch.where(valid, gathered, torch.full_like(gathered, outside))
    return gathered


def window_indices(
    node: SumPool | MaxPool, width: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Flat positions of each window's inputs (rows, columns, window), and which of them count."""
    tall = max(b - a for a, b in node.rows)
    wide = max(b - a for a, b in node.columns)
    index = torch.zeros(len(node.rows), len(node.columns), tall * wide, dtype=torch.int64)
    valid = torch.zeros_like(index, dtype=torch.bool)
    for i, (top, bottom) in enumerate(node.rows):
        for j, (left, right) in enumerate(node.columns):
            places = [y * width + x for y in range(top, bottom) for x in range(left, right)]
            index[i, j, : len(places)] = torch.tensor(places)
            valid[i, j, : len(places)] = True
    return index.to(device), valid.to(device)
