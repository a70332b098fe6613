"""Fully connected layers."""

from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, function, module
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Linear


@module(nn.Linear)
@function(F.linear)
def linear(call: Call) -> Signal:
    """Linear, and F.linear with constant weights."""
    weight, bias = call.parameters()
    signal = call.signal()
    if len(signal.shape) != 1:
        raise Refused(
            f"works on the last axis of a signal of shape {signal.shape}",
            "flatten first, or use a convolution with kernel 1",
        )
    return call.emit(Linear, (signal.name,), (len(weight),), weight=weight, bias=bias)
