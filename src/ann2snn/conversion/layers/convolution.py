"""Convolutions over one or two dimensions."""

from typing import Any

from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, function, module, pair, spec_shape
from ann2snn.conversion.refusal import Refused
from ann2snn.numerics.windows import Padding, same_padding
from ann2snn.spec import Conv


@module(nn.Conv1d, nn.Conv2d)
@function(F.conv1d, F.conv2d)
def convolution(call: Call) -> Signal:
    """Conv1d, Conv2d, and their functions with constant weights; in one dimension kernels get
    height 1."""
    conv = call.module
    reflects = conv is not None and conv.padding_mode != "zeros"
    if reflects and any(conv._reversed_padding_repeated_twice):
        raise Refused(f"padding_mode {conv.padding_mode!r} is not zeros", "padding_mode='zeros'")
    weight, bias = call.parameters()
    signal, axes = call.signal(), weight.ndim - 2
    if len(signal.shape) != axes + 1:
        raise Refused(f"takes {axes + 1} axes without the batch, got {signal.shape}", "a reshape")
    if axes == 1:
        weight = weight[:, :, None, :]
    dilation = pair(call.argument(5, "dilation", 1), axes, 1)
    node = call.emit(
        Conv,
        (signal.name,),
        (),
        weight=weight,
        bias=bias,
        stride=pair(call.argument(3, "stride", 1), axes, 1),
        padding=_padding(call.argument(4, "padding", 0), axes, weight.shape[2:], dilation),
        dilation=dilation,
        groups=call.argument(6, "groups", 1),
    )
    shape = call.graph.nodes[node.name].output_shape([spec_shape(signal.shape)])
    return Signal(node.name, shape if axes == 2 else (shape[0], shape[2]))


def _padding(padding: Any, axes: int, kernel: Any, dilation: tuple[int, int]) -> Padding:
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        return *same_padding(kernel[0], dilation[0]), *same_padding(kernel[1], dilation[1])
    vertical, horizontal = pair(padding, axes, 0)
    return vertical, vertical, horizontal, horizontal
