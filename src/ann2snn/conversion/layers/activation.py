"""ReLUs, which alone become neurons, and what changes no answer as the last operation."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, ending, function, method, module
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Neuron

# rising everywhere, by their names without "_"
RISING: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid, "logsigmoid": F.logsigmoid, "tanh": torch.tanh,
    "softplus": F.softplus,
}  # fmt: skip


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
    """min(max(0, x), 6); a module computes with limits that it holds."""
    low, high = getattr(call.module, "min_val", 0.0), getattr(call.module, "max_val", 6.0)
    return saturate(call, low, high)


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
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        raise Refused(f"clips to {low} and {high}", "limits that are numbers")
    if low != 0 or not high > 0:
        raise Refused(f"clips to {low} and {high}, and rates begin at 0", "a lower limit of 0")
    signal = call.signal()
    neurons = call.emit(Neuron, (signal.name,), signal.shape)
    if high != math.inf:
        call.graph.ceilings[neurons.name] = float(high)
    return neurons


@ending
@module(nn.Softmax, nn.LogSoftmax)
@function(F.softmax, F.log_softmax, torch.softmax, torch.log_softmax)
@method("softmax", "log_softmax")
def softmax(call: Call) -> Signal:
    """A (log-)softmax over the classes as the last operation: the argmax is that of its input."""
    if call.argument(1, "dim") not in (1, -1, None):
        raise Refused("a softmax along another axis than the classes is no rate", "axis 1")
    logarithm = "log" in call.operation.lower()
    return ended(call, "softmax", partial(torch.log_softmax if logarithm else torch.softmax, dim=1))


@ending
@module(nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus)
@function(*RISING.values(), torch.sigmoid_, torch.tanh_)
@method("sigmoid", "sigmoid_", "tanh", "tanh_")
def rising(call: Call) -> Signal:
    """A function that rises everywhere, as the last operation: the argmax is that of its input."""
    name = call.operation.lower().replace("_", "")
    if call.argument(1, "beta", 1) != 1 or call.argument(2, "threshold", 20) != 20:
        raise Refused("has a beta or a threshold of its own", "a softplus without them")
    return ended(call, name, RISING[name])


def ended(call: Call, name: str, function: Callable[[torch.Tensor], torch.Tensor]) -> Signal:
    """The outputs, to which the network does at last what changes no answer."""
    signal = call.signal()
    if len(signal.shape) != 1:
        raise Refused(f"a {name} of a signal of shape {signal.shape}", "one value for each class")
    call.graph.ending = function
    return call.vanish(signal, f"a {name} at the end changes no argmax; the output decides")
