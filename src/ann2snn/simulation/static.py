"""Currents that do not change with time: computed once an image, exactly, for every engine.

In plain numpy, so that the event engine starts without loading torch.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

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

Reals = npt.NDArray[np.float64]


def static_signals(spec: SpikingSpec, images: npt.NDArray[np.integer]) -> dict[str, Reals]:
    """The signal of every static node (images, *shape), for pixels k / spec.levels.

    Sums run over whole numbers k and weights on the grid, so they are exact in float64 whatever
    their order; the one division comes last, and the result is rounded to the grid (half to even).
    """
    signals: dict[str, Reals] = {}
    for node in spec:
        if not spec.is_static(node.name):
            continue
        if isinstance(node, Input):
            signals[node.name] = images.astype(np.float64)
            continue
        if isinstance(node, Conv | Linear) and isinstance(spec[node.inputs[0]], Input):
            # weights times k first, then one division, then the bias: it is on the grid itself
            value = _linear_map(node, signals[node.inputs[0]]) / spec.levels + _bias(node)
        else:
            inputs = [
                signals[name] / spec.levels if isinstance(spec[name], Input) else signals[name]
                for name in node.inputs
            ]
            value = _applied(node, inputs)
        signals[node.name] = _rounded(value, spec.grid)
    if spec.input.name in signals:
        signals[spec.input.name] = _rounded(signals[spec.input.name] / spec.levels, spec.grid)
    return signals


def _rounded(value: Reals, grid: int | None) -> Reals:
    """The nearest multiples of 2^-grid, half to even."""
    return value if grid is None else np.rint(value * 2.0**grid) / 2.0**grid


def _applied(node: Node, inputs: list[Reals]) -> Reals:
    """What a node without state makes of its inputs (images, *shape)."""
    first = inputs[0]
    match node:
        case Conv() | Linear():
            return _linear_map(node, first) + _bias(node)
        case Affine():
            return first * node.gain + node.bias
        case Add():
            return np.asarray(sum(inputs[1:], first))
        case Concat():
            return np.concatenate(inputs, 1)
        case Reshape():
            return first.reshape(len(first), *node.shape)
        case SumPool():
            return _over_windows(node, first, np.sum)
        case MaxPool():
            return _over_windows(node, first, np.max)
        case _:
            raise AssertionError(f"{node.kind} keeps a state")


def _linear_map(node: Conv | Linear, signal: Reals) -> Reals:
    """Weights times the signal, without the bias."""
    weight = node.weight.astype(np.float64)
    if isinstance(node, Linear):
        return np.asarray(signal @ weight.T)
    top, bottom, left, right = node.padding
    padded = np.pad(signal, ((0, 0), (0, 0), (top, bottom), (left, right)))
    matrices = weight.reshape(node.groups, len(weight) // node.groups, -1)
    return np.stack([_convolved(node, image, matrices) for image in padded])


def _convolved(node: Conv, image: Reals, matrices: Reals) -> Reals:
    """One padded image (C, H, W), by matrices of weights (groups, channels out, taps)."""
    reach = [
        (size - 1) * gap + 1 for size, gap in zip(node.weight.shape[2:], node.dilation, strict=True)
    ]
    (down, right), (gap_down, gap_right) = node.stride, node.dilation
    windows = np.lib.stride_tricks.sliding_window_view(image, reach, (1, 2))
    windows = windows[:, ::down, ::right, ::gap_down, ::gap_right]
    rows, columns = windows.shape[1:3]
    taps = windows.transpose(0, 3, 4, 1, 2).reshape(node.groups, -1, rows * columns)
    return (matrices @ taps).reshape(-1, rows, columns)


def _bias(node: Conv | Linear) -> Reals:
    """The bias, shaped to add to the node's signal."""
    bias = node.bias.astype(np.float64)
    return bias if isinstance(node, Linear) else bias[:, None, None]


def _over_windows(node: SumPool | MaxPool, signal: Reals, reduce: Callable[..., Reals]) -> Reals:
    """The sum or the maximum over each window."""
    found = np.empty((*signal.shape[:2], len(node.rows), len(node.columns)))
    for i, (top, bottom) in enumerate(node.rows):
        for j, (left, right) in enumerate(node.columns):
            found[..., i, j] = reduce(signal[..., top:bottom, left:right], axis=(2, 3))
    return found
