"""Fully connected layers."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, array, function, module
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Linear


@module(nn.Linear)
def linear_module(call: Call) -> Signal:
    """Linear."""
    return connect(call, call.module.weight, call.module.bias)


@function(F.linear)
def linear_function(call: Call) -> Signal:
    """F.linear with constant weights."""
    weight = call.argument(1, "weight")
    if not isinstance(weight, torch.Tensor):
        raise Refused("its weights depend on the image", "weights that are parameters")
    return connect(call, weight, call.argument(2, "bias"))


def connect(call: Call, weight: torch.Tensor, bias: torch.Tensor | None) -> Signal:
    """A `Linear` node."""
    signal = call.signal()
    if len(signal.shape) != 1:
        raise Refused(
            f"works on the last axis of a signal of shape {signal.shape}",
            "flatten first, or use a convolution with kernel 1",
        )
    values = array(weight)
    offsets = np.zeros(len(values)) if bias is None else array(bias)
    return call.emit(Linear, (signal.name,), (len(values),), weight=values, bias=offsets)
