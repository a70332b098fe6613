"""Convolutions over one or two dimensions."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import (
    Call,
    Signal,
    array,
    function,
    module,
    pair,
    spec_shape,
)
from ann2snn.conversion.refusal import Refused
from ann2snn.numerics.windows import Padding, same_padding
from ann2snn.spec import Conv


@module(nn.Conv1d, nn.Conv2d)
def convolution_module(call: Call) -> Signal:
    """Conv1d, Conv2d."""
    conv = call.module
    if conv.padding_mode != "zeros" and any(conv._reversed_padding_repeated_twice):
        raise Refused(f"padding_mode {conv.padding_mode!r} is not zeros", "padding_mode='zeros'")
    return convolve(
        call, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
    )


@function(F.conv1d, F.conv2d)
def convolution_function(call: Call) -> Signal:
    """F.conv1d, F.conv2d with constant weights."""
    weight = call.argument(1, "weight")
    if not isinstance(weight, torch.Tensor):
        raise Refused("its weights depend on the image", "weights that are parameters")
    places = (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1))
    options = [call.argument(place, *item) for place, item in enumerate(places, 3)]
    return convolve(call, weight, call.argument(2, "bias"), *options)


def convolve(
    call: Call,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Signal:
    """A `Conv` node; one-dimensional kernels get height 1."""
    signal = call.signal()
    axes = weight.ndim - 2
    if len(signal.shape) != axes + 1:
        raise Refused(f"takes {axes + 1} axes without the batch, got {signal.shape}", "a reshape")
    values = array(weight)
    if axes == 1:
        values = values[:, :, None, :]
    steps, reach = pair(stride, axes, 1), pair(dilation, axes, 1)
    around = _padding(padding, axes, values.shape[2:], reach)
    node = call.emit(
        Conv,
        (signal.name,),
        (),
        weight=values,
        bias=np.zeros(len(values)) if bias is None else array(bias),
        stride=steps,
        padding=around,
        dilation=reach,
        groups=groups,
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
