"""Operations that change nothing in eval mode."""

import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.conversion.layers.registry import (
    Call,
    Rearranged,
    Signal,
    function,
    method,
    module,
    rearranging,
)
from ann2snn.conversion.refusal import Refused


@module(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)
@function(F.dropout, F.dropout1d, F.dropout2d, F.alpha_dropout)
def dropout(call: Call) -> Signal:
    """Identity and dropout, whose functions need training=False."""
    if call.argument(2, "training", call.operation != "alpha_dropout"):
        raise Refused(
            "drops at random even in eval mode, since training is true",
            "F.dropout(x, training=self.training)",
        )
    return call.vanish(call.signal(), "does nothing in eval mode")


@method("contiguous", "detach", "clone", "float", "to")
@function(torch.clone, torch.detach)
@rearranging
def copy(call: Call) -> Signal | Rearranged:
    """Copies, layouts and floating-point formats of the same numbers."""
    formats = [v for v in (*call.args[1:], *call.kwargs.values()) if isinstance(v, torch.dtype)]
    if not all(each.is_floating_point for each in formats):
        raise Refused("gives whole numbers", "floating-point numbers throughout")
    call.note = "hands on the same numbers"
    value = call.argument(0, "input")
    return value if isinstance(value, Rearranged) else call.signal()
