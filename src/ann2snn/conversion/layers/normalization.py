"""Batch normalization with fixed statistics: an affine map a channel, folded where it can be."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import Call, Signal, array, function, module, spec_shape
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Affine


@module(nn.BatchNorm1d, nn.BatchNorm2d)
def batch_norm_module(call: Call) -> Signal:
    """BatchNorm1d, BatchNorm2d in eval mode."""
    norm = call.module
    if norm.running_mean is None:
        raise Refused(
            "has no running statistics, so its output depends on the batch",
            "track_running_stats=True",
        )
    return normalize(call, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps)


@function(F.batch_norm)
def batch_norm_function(call: Call) -> Signal:
    """F.batch_norm with constant statistics."""
    values = [
        call.argument(place, name)
        for place, name in enumerate(("running_mean", "running_var", "weight", "bias"), 1)
    ]
    if call.argument(5, "training", False) or values[0] is None:
        raise Refused("normalizes by the batch's own statistics", "training=False")
    mean, variance, gamma, beta = values
    return normalize(call, mean, variance, gamma, beta, call.argument(7, "eps", 1e-5))


def normalize(call: Call, mean: Any, variance: Any, gamma: Any, beta: Any, eps: float) -> Signal:
    """gamma (x - mean) / sqrt(var + eps) + beta as an `Affine` node (Rueckauer et al. 2016)."""
    signal = call.signal()
    if not all(value is None or isinstance(value, torch.Tensor) for value in (mean, gamma)):
        raise Refused("its statistics depend on the image", "running statistics")
    gain = 1 / np.sqrt(array(variance) + eps)
    if gamma is not None:
        gain = gain * array(gamma)
    bias = -gain * array(mean)
    if beta is not None:
        bias = bias + array(beta)
    form = (-1,) + (1,) * (len(spec_shape(signal.shape)) - 1)
    return call.emit(
        Affine, (signal.name,), signal.shape, gain=gain.reshape(form), bias=bias.reshape(form)
    )
