"""What nodes without a state make of their inputs, as tensors."""

import torch
from torch.nn import functional as F

from ann2snn.spec import Add, Affine, Concat, Conv, Linear, MaxPool, Node, Reshape, SumPool

Tensor = torch.Tensor


def applied(node: Node, inputs: list[Tensor]) -> Tensor:
    """What a node without state makes of its inputs (images, *shape), in their precision."""
    match node:
        case Conv() | Linear():
            return _linear_map(node, inputs[0])
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


def _linear_map(node: Conv | Linear, signal: Tensor) -> Tensor:
    """Weights times the signal, and the bias, in the signal's precision."""
    weight, bias = (torch.from_numpy(array).to(signal) for array in (node.weight, node.bias))
    if isinstance(node, Linear):
        return F.linear(signal, weight, bias)
    top, bottom, left, right = node.padding
    if top != bottom or left != right:
        signal = F.pad(signal, (left, right, top, bottom))
        top = left = 0
    return F.conv2d(signal, weight, bias, node.stride, (top, left), node.dilation, node.groups)


def windowed(node: SumPool | MaxPool, signal: Tensor, outside: float = 0) -> Tensor:
    """The inputs of every window (..., rows, columns, window), in row-major order.

    A window smaller than the largest is filled up with `outside`.
    """
    index, valid = _window_indices(node, signal.shape[-1], signal.device)
    gathered = signal.flatten(-2)[..., index]
    if not bool(valid.all()):
        gathered = torch.where(valid, gathered, torch.full_like(gathered, outside))
    return gathered


def _window_indices(
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
