"""Max-pools, average-pools, and sums and means over space."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.analog_graph import window_sizes
from ann2snn.conversion.layers.registry import (
    Call,
    Signal,
    function,
    method,
    module,
    pair,
    spec_shape,
)
from ann2snn.conversion.refusal import Refused
from ann2snn.numerics.windows import Windows, adaptive_windows, pool_windows
from ann2snn.spec import Affine, MaxPool, Reshape, SumPool


def image(call: Call) -> tuple[Signal, tuple[int, int, int], int]:
    """The signal, its shape as an image and its number of spatial axes."""
    signal = call.signal()
    axes = len(signal.shape) - 1
    if axes not in (1, 2):
        raise Refused(f"pools a signal of shape {signal.shape}", "an image (C, H, W) or (C, L)")
    channels, height, width = spec_shape(signal.shape)
    return signal, (channels, height, width), axes


def sliding(call: Call, axes: int, height: int, width: int) -> tuple[list[Windows], Any, Any, Any]:
    """Windows of a pool by kernel, stride and padding, and these three."""
    kernel = pair(call.argument(1, "kernel_size", None), axes, 1)
    stride = call.argument(2, "stride", None)
    steps = pair(stride, axes, 1) if stride not in (None, (), []) else kernel
    padding = pair(call.argument(3, "padding", 0), axes, 0)
    ceil = bool(call.argument(5 if "max" in call.operation else 4, "ceil_mode", False))
    windows = [
        pool_windows(size, k, s, p, ceil_mode=ceil)
        for size, k, s, p in zip((height, width), kernel, steps, padding, strict=True)
    ]
    return windows, kernel, steps, padding


@module(nn.MaxPool1d, nn.MaxPool2d)
@function(F.max_pool1d, F.max_pool2d, torch.max_pool1d, torch.max_pool2d)
def max_pool(call: Call) -> Signal:
    """MaxPool1d, MaxPool2d and their functions."""
    signal, (_, height, width), axes = image(call)
    dilation = call.argument(4, "dilation", 1)
    if pair(dilation, axes, 1) != (1, 1):
        raise Refused(f"has dilation {dilation}", "dilation=1")
    if call.argument(6, "return_indices", False):
        raise Refused("returns indices, which are no rates", "return_indices=False")
    (rows, columns), *_ = sliding(call, axes, height, width)
    return pooled(call, MaxPool, signal, rows, columns)


@module(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)
@function(F.adaptive_max_pool1d, F.adaptive_max_pool2d)
def adaptive_max_pool(call: Call) -> Signal:
    """AdaptiveMaxPool1d, AdaptiveMaxPool2d and their functions."""
    if call.argument(2, "return_indices", False):
        raise Refused("returns indices, which are no rates", "return_indices=False")
    signal, rows, columns = adaptive(call)
    return pooled(call, MaxPool, signal, rows, columns)


@module(nn.AvgPool1d, nn.AvgPool2d)
@function(F.avg_pool1d, F.avg_pool2d)
def average_pool(call: Call) -> Signal:
    """AvgPool1d, AvgPool2d and their functions; the division goes into the scale."""
    signal, (_, height, width), axes = image(call)
    (rows, columns), kernel, steps, padding = sliding(call, axes, height, width)
    fixed = call.argument(6, "divisor_override", None)
    if fixed:
        counts = np.full((len(rows), len(columns)), float(fixed))
    elif call.argument(5, "count_include_pad", True):
        # windows that hang over in ceil_mode count the padding, but not what lies beyond it
        spans = [
            [min(k, size + 2 * pad - i * step) for i in range(len(windows))]
            for windows, size, k, step, pad in zip(
                (rows, columns), (height, width), kernel, steps, padding, strict=True
            )
        ]
        counts = np.outer(spans[0], spans[1]).astype(np.float64)
    else:
        counts = window_sizes(rows, columns)
    return averaged(call, signal, rows, columns, counts)


@module(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
@function(F.adaptive_avg_pool1d, F.adaptive_avg_pool2d)
def adaptive_average_pool(call: Call) -> Signal:
    """AdaptiveAvgPool1d, AdaptiveAvgPool2d and their functions."""
    signal, rows, columns = adaptive(call)
    return averaged(call, signal, rows, columns, window_sizes(rows, columns))


@function(torch.mean, torch.sum)
@method("mean", "sum")
def reduce(call: Call) -> Signal:
    """x.mean and x.sum over all space axes."""
    signal, (channels, height, width), axes = image(call)
    dims = call.argument(1, "dim")
    dims = (dims,) if isinstance(dims, int) else dims
    rank = axes + 2
    if dims is None or sorted(d % rank for d in dims) != list(range(2, rank)):
        raise Refused(
            f"{call.operation} over the axes {dims}", "over all axes of space and no other"
        )
    keep = bool(call.argument(2, "keepdim", False))
    rows, columns = ((0, height),), ((0, width),)
    divisor = float(height * width) if call.operation == "mean" else 1.0
    total = averaged(call, signal, rows, columns, np.full((1, 1), divisor))
    if keep:
        return total
    return call.emit(Reshape, (total.name,), (channels,), shape=(channels,))


def adaptive(call: Call) -> tuple[Signal, Windows, Windows]:
    """The signal and the windows of an adaptive pool; None keeps an axis."""
    signal, (_, height, width), axes = image(call)
    wanted = call.argument(1, "output_size", None)
    sizes = list(wanted) if isinstance(wanted, tuple | list) else [wanted] * axes
    rows, columns = [1, *sizes] if axes == 1 else sizes
    return (
        signal,
        adaptive_windows(height, height if rows is None else rows),
        adaptive_windows(width, width if columns is None else columns),
    )


def averaged(
    call: Call, signal: Signal, rows: Windows, columns: Windows, counts: np.ndarray
) -> Signal:
    """A `SumPool` whose scale divides; where divisors differ by position, an `Affine` divides."""
    if (counts == counts[0, 0]).all():
        return pooled(call, SumPool, signal, rows, columns, np.array(1 / counts[0, 0]))
    total = pooled(call, SumPool, signal, rows, columns)
    gain = 1 / counts[None]
    return call.emit(Affine, (total.name,), total.shape, gain=gain, bias=np.zeros(()))


def pooled(
    call: Call,
    kind: type[MaxPool] | type[SumPool],
    signal: Signal,
    rows: Windows,
    columns: Windows,
    scale: np.ndarray | None = None,
) -> Signal:
    """A pool node of `kind`; along one dimension its signal keeps two axes."""
    channels = signal.shape[0]
    flat = len(signal.shape) == 2
    shape = (channels, len(columns)) if flat else (channels, len(rows), len(columns))
    fields = {} if scale is None else {"scale": scale}
    return call.emit(kind, (signal.name,), shape, rows=rows, columns=columns, **fields)
