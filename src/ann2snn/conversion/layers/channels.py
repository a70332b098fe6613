"""Channels picked or brought into another order: slices, chunks, splits, transposes, shuffles.

Torch itself runs these operations, on the numbers of the units of two images in place of a signal.
What comes out tells which unit stands where, and that each image keeps its own.
"""

import math
import operator
from typing import Any

import torch
from torch import fx, nn

from ann2snn.conversion.layers.registry import (
    Call,
    Rearranged,
    Signal,
    function,
    leaves,
    method,
    module,
    rearranging,
)
from ann2snn.conversion.layers.shaping import rearranged, settled
from ann2snn.conversion.refusal import Refused

WHOLE = "whole channels: x[:, a:b], x.chunk(2, dim=1), torch.split(x, sizes, dim=1)"
BEYOND = 2**31 - 1  # from here on the end of a slice means the last one
PARTS = (
    "chunk",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unsafe_chunk",
    "unsafe_split",
    "unsafe_split_with_sizes",
)  # their `dim` is the argument behind the next
AXES = {"vsplit": 0, "hsplit": 1, "dsplit": 2}  # the axis that they split: they take no `dim`


@module(nn.ChannelShuffle)
@function(
    torch.transpose, torch.swapaxes, torch.swapdims, torch.permute, torch.movedim, torch.moveaxis,
    torch.flip, torch.fliplr, torch.roll, torch.channel_shuffle,
)  # fmt: skip
@method(
    "transpose", "swapaxes", "swapdims", "permute", "movedim", "moveaxis", "flip", "fliplr", "roll"
)
@rearranging
def reorder(call: Call) -> Signal | Rearranged:
    """Channels in another order, or axes on the way there."""
    return _placed(call)[0]


@function(
    *(getattr(torch, name) for name in (*PARTS, *AXES)),
    torch.unbind, torch.narrow, torch.select, torch.index_select,
)  # fmt: skip
@method(*PARTS, *AXES, "unbind", "narrow", "select", "index_select")
@rearranging
def pick(call: Call) -> Any:
    """Parts of the channels: one signal, or as many as torch gives."""
    signal = call.argument(0, "input", call.kwargs.get("tensor"))
    rank = len(rearranged(call, signal).units.shape) + 1
    several = call.operation in (*PARTS, *AXES, "unbind")
    dim = AXES.get(call.operation)
    if dim is None:
        dim = call.argument(2 if call.operation in PARTS else 1, "dim", 0)
    if not isinstance(dim, int) or dim % rank == 0:
        raise Refused(f"{call.operation} along the batch", WHOLE)
    parts = _placed(call)
    return parts if several else parts[0]


@function(operator.getitem)
@rearranging
def index(call: Call) -> Any:
    """One of several signals, or some channels of one: x[:, a:b], x[:, ::2], x[:, [2, 0]]."""
    value, chosen = call.args
    if isinstance(value, tuple | list):
        call.note = "one of several signals"
        return value[chosen]
    first = chosen[0] if isinstance(chosen, tuple) and chosen else chosen
    if first is not Ellipsis and not _is_whole(first):
        raise Refused("picks images of the batch, or adds an axis before it", WHOLE)
    return _placed(call)[0]


def _is_whole(chosen: Any) -> bool:
    """Whether it is a slice of all that there is, however written."""
    return (
        isinstance(chosen, slice)
        and chosen.start in (None, 0)
        and (chosen.stop is None or (isinstance(chosen.stop, int) and chosen.stop >= BEYOND))
        and chosen.step in (None, 1)
    )


def _placed(call: Call) -> tuple[Signal | Rearranged, ...]:
    """All that the operation gives."""
    given = [v for v in leaves((call.args, call.kwargs)) if isinstance(v, Signal | Rearranged)]
    if len(given) != 1:
        raise Refused("its indices depend on the image", "indices that are known before the run")
    source, units = (before := rearranged(call, given[0])).source, before.units
    count = math.prod(call.graph.shapes()[source.name])
    both = torch.stack([units, units + count])

    def on_units(value: Any) -> Any:
        return both if value is given[0] else getattr(value, "cpu", lambda: value)()

    args, kwargs = fx.node.map_aggregate((call.args, call.kwargs), on_units)
    found = _run(call, both, args, kwargs)
    results = []
    for numbers in found if isinstance(found, tuple | list) else (found,):
        if numbers.shape[:1] != (2,) or not torch.equal(numbers[1], numbers[0] + count):
            raise Refused("moves or picks images of the batch", WHOLE)
        if not numbers.numel():
            raise Refused("picks no channel at all", WHOLE)
        results.append(settled(call, source, numbers[0]))
    return tuple(results)


def _run(call: Call, units: torch.Tensor, args: Any, kwargs: Any) -> Any:
    if call.module is not None:
        return call.module(units)
    if isinstance(call.target, str):
        return getattr(units, call.target)(*args[1:], **kwargs)
    return call.target(*args, **kwargs)
