"""Zeros around a signal, where they stand as an operation of their own."""

import numpy as np
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, function, module, spec_shape
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Conv


@module(nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d)
@function(F.pad)
def pad(call: Call) -> Signal:
    """ZeroPad1d, ZeroPad2d, and F.pad with zeros along the axes of space.

    The node is a convolution by 1 of every channel for itself, whose padding is these zeros; a
    rewriting moves them into the convolutions that read it.

    Raises:
        Refused: it reflects, fills with other numbers, cuts off, or widens the channels.
    """
    signal = call.signal()
    axes = len(signal.shape) - 1
    mode, value = call.argument(2, "mode", "constant"), call.argument(3, "value", 0)
    if mode != "constant" or value:
        filled = f"the number {value:g}" if mode == "constant" else f"mode {mode!r}"
        raise Refused(f"pads with {filled}", "zeros")
    sizes = call.argument(1, "pad" if call.module is None else "padding")
    if not isinstance(sizes, tuple | list) or not all(isinstance(size, int) for size in sizes):
        raise Refused(f"got the sizes {sizes!r}", "whole numbers that are known before the run")
    if axes not in (1, 2) or any(sizes[2 * axes :]):
        raise Refused(f"pads other axes than those of space: {tuple(sizes)}", "zeros around images")
    if min(sizes, default=0) < 0:
        raise Refused(f"cuts off rows or columns: {tuple(sizes)}", "sizes of at least 0")
    left, right, top, bottom = (*sizes, 0, 0, 0, 0)[:4]
    channels = signal.shape[0]
    node = call.emit(
        Conv, (signal.name,), (), weight=np.ones((channels, 1, 1, 1)), bias=np.zeros(channels),
        padding=(top, bottom, left, right), groups=channels,
    )  # fmt: skip
    shape = call.graph.nodes[node.name].output_shape([spec_shape(signal.shape)])
    return Signal(node.name, shape if axes == 2 else (shape[0], shape[2]))
