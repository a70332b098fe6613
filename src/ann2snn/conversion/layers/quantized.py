"""The activation of networks that were trained for few steps."""

from ann2snn.conversion.layers.activation import saturate
from ann2snn.conversion.layers.registry import Call, Signal, module
from ann2snn.conversion.refusal import Refused
from ann2snn.numerics.quantized_relu import QuantizedReLU


@module(QuantizedReLU)
def quantized_relu(call: Call) -> Signal:
    """Neurons whose scale is the learned ceiling, whatever the calibration images say."""
    ceiling = call.module.ceiling.item()
    if not 0 < ceiling < float("inf"):
        raise Refused(f"its ceiling is {ceiling:g}, and a scale is greater than 0", "a ceiling > 0")
    neurons = saturate(call, 0.0, ceiling)
    call.graph.levels[neurons.name] = call.module.levels
    return neurons
