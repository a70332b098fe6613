"""Batch normalization with fixed statistics: an affine map per channel, folded where it can be."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.analog_graph import along
from ann2snn.conversion.layers.registry import Call, Signal, array, function, module, spec_shape
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Affine


@module(nn.BatchNorm1d, nn.BatchNorm2d)
@function(F.batch_norm)
def batch_norm(call: Call) -> Signal:
    """gamma (x - mean) / sqrt(var + eps) + beta as an `Affine` node (Rueckauer et al. 2016)."""
    names = ("running_mean", "running_var", "weight", "bias")
    values = [call.argument(place, name) for place, name in enumerate(names, 1)]
    mean, variance, gamma, beta = values
    if call.argument(5, "training", False):
        raise Refused("normalizes by the batch's own statistics", "training=False")
    if mean is None or variance is None:
        raise Refused(
            "has no running statistics, so its output depends on the batch",
            "track_running_stats=True",
        )
    signal = call.signal()
    if not all(value is None or isinstance(value, torch.Tensor) for value in values):
        raise Refused("its statistics depend on the image", "running statistics")
    gain = 1 / np.sqrt(array(variance) + call.argument(7, "eps", 1e-5))
    if gamma is not None:
        gain = gain * array(gamma)
    bias = -gain * array(mean)
    if beta is not None:
        bias = bias + array(beta)
    axes = len(spec_shape(signal.shape))
    fields = {"gain": along(gain, axes), "bias": along(bias, axes)}
    return call.emit(Affine, (signal.name,), signal.shape, **fields)
