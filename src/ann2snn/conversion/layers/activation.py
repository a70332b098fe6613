"""ReLUs, which alone become neurons, and what changes no answer as the last operation."""

import math
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, function, method, module
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Neuron


@module(nn.ReLU)
@function(F.relu, F.relu_, torch.relu, torch.relu_)
@method("relu", "relu_")
def relu(call: Call) -> Signal:
    """max(0, x): a layer of neurons."""
    signal = call.signal()
    return call.emit(Neuron, (signal.name,), signal.shape)


@module(nn.ReLU6)
@function(F.relu6)
def relu6(call: Call) -> Signal:
    """min(max(0, x), 6)."""
    return saturate(call, 0.0, 6.0)


@module(nn.Hardtanh)
@function(F.hardtanh, F.hardtanh_)
def hardtanh(call: Call) -> Signal:
    """Hardtanh(0, m)."""
    return saturate(call, call.argument(1, "min_val", -1.0), call.argument(2, "max_val", 1.0))


@function(torch.clamp, torch.clamp_, torch.clip, torch.clip_)
@method("clamp", "clamp_", "clip", "clip_")
def clamp(call: Call) -> Signal:
    """clamp(x, 0, m) and clamp(x, min=0)."""
    low, high = call.argument(1, "min"), call.argument(2, "max")
    return saturate(call, -math.inf if low is None else low, math.inf if high is None else high)


def saturate(call: Call, low: object, high: object) -> Signal:
    """min(max(0, x), high): neurons whose scale is at most `high`."""
    numbers = isinstance(low, int | float) and isinstance(high, int | float)
    if not numbers or low != 0 or not high > 0:  # type: ignore[operator]
        raise Refused(f"clips to {low} and {high}, and rates begin at 0", "a lower limit of 0")
    signal = call.signal()
    neurons = call.emit(Neuron, (signal.name,), signal.shape)
    if high != math.inf:
        call.graph.ceilings[neurons.name] = float(high)  # type: ignore[arg-type]
    return neurons


@module(nn.Softmax, nn.LogSoftmax)
@function(F.softmax, F.log_softmax, torch.softmax, torch.log_softmax)
@method("softmax", "log_softmax")
def softmax(call: Call) -> Signal:
    """A (log-)softmax over the classes as the last operation: the argmax is that of its input."""
    signal = call.signal()
    if not call.last or len(signal.shape) != 1 or call.argument(1, "dim") not in (1, -1, None):
        raise Refused(
            "a softmax inside the network is no rate", "a ReLU, or a softmax as the last operation"
        )
    logarithm = "log" in call.operation.lower()
    call.graph.ending = partial(torch.log_softmax if logarithm else torch.softmax, dim=1)
    return call.vanish(signal, "a softmax at the end changes no argmax; the output decides")
