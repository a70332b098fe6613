"""Currents that do not change with time: computed once per image, exactly, for every engine.

In plain numpy, so that the event engine starts without loading torch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ann2snn.numerics.exact_sums import rounded
from ann2snn.spec import SpikingSpec, nodes
from ann2snn.spec.interpretation import Interpretation

Reals = npt.NDArray[np.float64]

CURRENTS: Interpretation[Callable[[Any, list[Reals]], Reals]] = Interpretation(
    "constant current",
    leaves_out=dict.fromkeys((nodes.Neuron, nodes.Output), "changes with time, whatever it reads"),
)


def static_signals(spec: SpikingSpec, images: npt.NDArray[np.integer]) -> dict[str, Reals]:
    """The signal of every static node (images, *shape), for pixels k / spec.levels.

    Sums run over whole numbers k and weights on the grid, so they are exact in float64 whatever
    their order; the one division comes last, and the result is rounded to the grid (half to even).
    """
    signals: dict[str, Reals] = {}
    whole = images.astype(np.float64)
    pixels = whole / spec.levels
    for node in spec:
        if not spec.is_static(node.name):
            continue
        if isinstance(node, nodes.Weighted) and node.inputs == (spec.input.name,):
            # weights times k first, then one division, then the bias: it is on the grid itself
            value = _linear_map(node, whole) / spec.levels + _bias(node)
        else:
            inputs = [pixels if name == spec.input.name else signals[name] for name in node.inputs]
            value = CURRENTS[node](node, inputs or [pixels])
        signals[node.name] = rounded(value, spec.grid)
    return signals


CURRENTS.of(nodes.Input)(lambda _, inputs: inputs[0])
CURRENTS.of(nodes.Conv, nodes.Linear)(
    lambda node, inputs: _linear_map(node, inputs[0]) + _bias(node)
)
CURRENTS.of(nodes.Affine)(lambda node, inputs: inputs[0] * node.gain + node.bias)
CURRENTS.of(nodes.Add)(lambda _, inputs: sum(inputs[1:], inputs[0]))
CURRENTS.of(nodes.Concat)(lambda _, inputs: np.concatenate(inputs, 1))
CURRENTS.of(nodes.Select)(lambda node, inputs: np.concatenate(inputs, 1)[:, node.channels])
CURRENTS.of(nodes.Reshape)(lambda node, inputs: inputs[0].reshape(len(inputs[0]), *node.shape))
CURRENTS.of(nodes.SumPool)(lambda node, inputs: _over_windows(node, inputs[0], np.sum))
CURRENTS.of(nodes.MaxPool)(lambda node, inputs: _over_windows(node, inputs[0], np.max))


def _linear_map(node: nodes.Weighted, signal: Reals) -> Reals:
    """Weights times the signal, without the bias."""
    if not isinstance(node, nodes.Conv):
        return np.asarray(signal @ node.weight.T)
    weight = node.weight
    top, bottom, left, right = node.padding
    padded = np.pad(signal, ((0, 0), (0, 0), (top, bottom), (left, right)))
    matrices = weight.reshape(node.groups, len(weight) // node.groups, -1)
    return np.stack([_convolved(node, image, matrices) for image in padded])


def _convolved(node: nodes.Conv, image: Reals, matrices: Reals) -> Reals:
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


def _bias(node: nodes.Weighted) -> Reals:
    """The bias, shaped to add to the node's signal."""
    return node.bias[:, None, None] if isinstance(node, nodes.Conv) else node.bias


def _over_windows(node: nodes.Pool, signal: Reals, reduce: Callable[..., Reals]) -> Reals:
    """The sum or the maximum over each window."""
    found = np.empty((*signal.shape[:2], len(node.rows), len(node.columns)))
    for i, (top, bottom) in enumerate(node.rows):
        for j, (left, right) in enumerate(node.columns):
            found[..., i, j] = reduce(signal[..., top:bottom, left:right], axis=(2, 3))
    return found
