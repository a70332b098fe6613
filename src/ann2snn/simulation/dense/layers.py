"""The signals of nodes without a state, as tensors.

Sums of multiples of a power of two are exact in any order, so any kernel forms them rightly that
multiplies and adds the numbers as they are. Not all do: on a GPU convolutions round float32 to the
11 bits of TF32 unless told otherwise, and cuDNN may transform them (Winograd, FFT), which leaves
the grid; on a processor they may be rounded to bfloat16 where a program allowed that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, reduce
from typing import Any

import torch
from torch.nn import functional as F

from ann2snn.numerics.windows import Windows
from ann2snn.spec import nodes
from ann2snn.spec.interpretation import Interpretation

Tensor = torch.Tensor

LAYERS: Interpretation[Callable[[Any, list[Tensor]], Tensor]] = Interpretation(
    "dense layer",
    leaves_out={
        nodes.Input: "is the image", nodes.Neuron: "keeps a potential",
        nodes.Output: "hands on the signal that it reads",
    },
)  # fmt: skip


def applied(node: nodes.Node, inputs: list[Tensor]) -> Tensor:
    """The signal of a node without state from its inputs (images, *shape), in their precision."""
    return LAYERS[node](node, inputs)


@LAYERS.of(nodes.Affine)
def _affine(node: nodes.Affine, inputs: list[Tensor]) -> Tensor:
    gain, bias = (torch.from_numpy(array).to(inputs[0]) for array in (node.gain, node.bias))
    return inputs[0] * gain + bias


LAYERS.of(nodes.Add)(lambda _, inputs: reduce(torch.add, inputs))
LAYERS.of(nodes.Concat)(lambda _, inputs: torch.cat(inputs, 1))
LAYERS.of(nodes.Select)(lambda node, inputs: torch.cat(inputs, 1)[:, list(node.channels)])
LAYERS.of(nodes.Reshape)(lambda node, inputs: inputs[0].reshape(len(inputs[0]), *node.shape))
LAYERS.of(nodes.SumPool)(lambda node, inputs: windowed(node, inputs[0]).sum(-1))
# of the whole signal; spikes are chosen by `max_pooling` instead, step by step
LAYERS.of(nodes.MaxPool)(lambda node, inputs: windowed(node, inputs[0], -torch.inf).amax(-1))


@contextmanager
def full_products() -> Iterator[None]:
    """Within, the processor's products of float32 keep all their bits, also where
    `torch.set_float32_matmul_precision` or the like allows fewer; then what was set is set again.
    """
    products: Any = torch.backends.mkldnn
    known = [(kind, kind.fp32_precision) for kind in (products.matmul, products.conv)]
    short = [(kind, precision) for kind, precision in known if precision not in ("none", "ieee")]
    try:
        for kind, _ in short:
            kind.fp32_precision = "ieee"
        yield
    finally:
        for kind, precision in short:
            kind.fp32_precision = precision


@LAYERS.of(nodes.Conv, nodes.Linear)
def _linear_map(node: nodes.Weighted, inputs: list[Tensor]) -> Tensor:
    """Weights times the signal, and the bias, in the signal's precision."""
    (signal,) = inputs
    if signal.device.type != "cpu":
        return _by_matrices(node, signal.double()).to(signal.dtype)
    weight, bias = (torch.from_numpy(array).to(signal) for array in (node.weight, node.bias))
    if not isinstance(node, nodes.Conv):
        return F.linear(signal, weight, bias)
    top, bottom, left, right = node.padding
    if top != bottom or left != right:
        signal = F.pad(signal, (left, right, top, bottom))
        top = left = 0
    return F.conv2d(signal, weight, bias, node.stride, (top, left), node.dilation, node.groups)


def _by_matrices(node: nodes.Weighted, signal: Tensor) -> Tensor:
    """The linear map of a float64 signal by matrix products of float64 alone, which no setting of
    torch shortens and no library transforms: one for each tap of a convolution's kernel."""
    weight, bias = (torch.from_numpy(array).to(signal) for array in (node.weight, node.bias))
    if not isinstance(node, nodes.Conv):
        return signal @ weight.T + bias
    top, bottom, left, right = node.padding
    padded = F.pad(signal, (left, right, top, bottom))
    padded = padded.reshape(len(signal), node.groups, -1, *padded.shape[2:])
    taps = weight.reshape(node.groups, -1, *weight.shape[1:])
    (down, across), (gap_down, gap_across) = node.stride, node.dilation
    _, rows, columns = node.output_shape([tuple(signal.shape[1:])])
    total = bias.view(node.groups, -1, 1, 1).expand(len(signal), -1, -1, rows, columns).clone()
    for y in range(weight.shape[2]):
        band = padded[:, :, :, y * gap_down :][:, :, :, ::down][:, :, :, :rows]
        for x in range(weight.shape[3]):
            seen = band[..., x * gap_across :][..., ::across][..., :columns]
            total += torch.einsum("goc,ngcyx->ngoyx", taps[..., y, x], seen)
    return total.flatten(1, 2)


def windowed(node: nodes.Pool, signal: Tensor, outside: float = 0) -> Tensor:
    """The inputs of every window (..., rows, columns, window), in row-major order.

    A window smaller than the largest is filled up with `outside`.
    """
    index, valid = _window_indices(node.rows, node.columns, signal.shape[-1], signal.device)
    gathered = signal.flatten(-2)[..., index]
    if valid is not None:
        gathered = torch.where(valid, gathered, torch.full_like(gathered, outside))
    return gathered


@lru_cache(maxsize=64)  # asked for at every step, and slower to build than a step of a GPU is
def _window_indices(
    rows: Windows, columns: Windows, width: int, device: torch.device
) -> tuple[Tensor, Tensor | None]:
    """Flat positions of each window's inputs (rows, columns, window), and which of them count; None
    where all do."""
    tall = max(b - a for a, b in rows)
    wide = max(b - a for a, b in columns)
    index = torch.zeros(len(rows), len(columns), tall * wide, dtype=torch.int64)
    valid = torch.zeros_like(index, dtype=torch.bool)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            places = [y * width + x for y in range(top, bottom) for x in range(left, right)]
            index[i, j, : len(places)] = torch.tensor(places)
            valid[i, j, : len(places)] = True
    return index.to(device), None if bool(valid.all()) else valid.to(device)
