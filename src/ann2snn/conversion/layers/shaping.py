"""Flatten, view, reshape and squeeze with a static shape."""

import math
from typing import Any

import torch
from torch import nn

from ann2snn.conversion.layers.registry import (
    BATCH,
    Batch,
    Call,
    Signal,
    function,
    method,
    module,
    spec_shape,
)
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Reshape
from ann2snn.spec.nodes import Shape


@module(nn.Flatten)
@function(torch.flatten)
@method("flatten")
def flatten(call: Call) -> Signal:
    """A flatten of image axes."""
    signal = call.signal()
    rank = len(signal.shape) + 1
    first = call.argument(1, "start_dim", 0) % rank
    last = call.argument(2, "end_dim", -1) % rank
    if first == 0:
        raise Refused("flattens the batch into the image", "start_dim=1")
    shape = signal.shape
    middle = math.prod(shape[first - 1 : last])
    return reshaped(call, signal, (*shape[: first - 1], middle, *shape[last:]))


@module(nn.Unflatten)
def unflatten(call: Call) -> Signal:
    """nn.Unflatten of an image axis."""
    signal = call.signal()
    axis = call.module.dim % (len(signal.shape) + 1) - 1
    if axis < 0:
        raise Refused("unflattens the batch", "an axis of the image")
    sizes = tuple(call.module.unflattened_size)
    return reshaped(call, signal, (*signal.shape[:axis], *sizes, *signal.shape[axis + 1 :]))


@method("view", "reshape")
@function(torch.reshape)
def reshape(call: Call) -> Signal:
    """x.view(batch, ...): all sizes known but one at most."""
    signal = call.signal()
    sizes = call.argument(1, "shape")
    wanted = list(sizes) if isinstance(sizes, tuple | list) else list(call.args[1:])
    free = math.prod(signal.shape)
    cure = "x.flatten(1), or x.view(x.size(0), ...) with whole numbers"
    if not wanted or not (isinstance(wanted[0], Batch) or wanted[0] == -1):
        raise Refused(f"{call.operation}{tuple(wanted)} does not keep the batch first", cure)
    shape = wanted[1:]
    if not all(isinstance(size, int) for size in shape) or shape.count(-1) > 1:
        raise Refused(f"{call.operation}{tuple(wanted)} is not a static shape", cure)
    if -1 in shape and isinstance(wanted[0], Batch):
        known = -math.prod(shape)
        shape[shape.index(-1)] = free // known if known and free % known == 0 else 0
    if math.prod(shape) != free:
        raise Refused(f"{signal.shape} does not reshape to {tuple(shape)} for each image", cure)
    return reshaped(call, signal, tuple(shape))


@method("squeeze", "unsqueeze")
@function(torch.squeeze, torch.unsqueeze)
def squeeze(call: Call) -> Signal:
    """Axes of size one that go or come, but never the batch."""
    signal = call.signal()
    dim = call.argument(1, "dim")
    rank = len(signal.shape) + 1
    if not isinstance(dim, int) or dim in (0, -rank):
        raise Refused(
            "squeezes the batch if it is 1", f"{call.operation}(dim) with dim of the image"
        )
    shape = list(signal.shape)
    if call.operation == "unsqueeze":
        shape.insert(dim - 1 if dim > 0 else rank + dim, 1)
    elif shape[place := (dim - 1 if dim > 0 else rank + dim - 1)] == 1:
        del shape[place]
    return reshaped(call, signal, tuple(shape))


@method("size")
def size(call: Call) -> Any:
    """x.size() and x.size(axis): constants but for the batch."""
    sizes = (BATCH, *call.signal().shape)
    axis = call.argument(1, "dim")
    return sizes if axis is None else sizes[axis]


@method("dim", "ndimension")
def dim(call: Call) -> int:
    """The number of axes."""
    return len(call.signal().shape) + 1


@function(getattr)
def attribute(call: Call) -> Any:
    """x.shape and x.ndim."""
    shape = (BATCH, *call.signal().shape)
    match call.args[1]:
        case "shape":
            return shape
        case "ndim":
            return len(shape)
        case name:
            raise Refused(f"reads {name} of a signal", "only x.shape and x.ndim are known")


def reshaped(call: Call, signal: Signal, shape: Shape) -> Signal:
    """A `Reshape` node, or none where the numbers already stand so."""
    if len(shape) not in (1, 2, 3):
        raise Refused(f"gives a signal of shape {shape}", "features, (C, L) or (C, H, W)")
    target = spec_shape(shape)
    if target == spec_shape(signal.shape):
        call.vanish(signal, "the shape stays as it is")
        return Signal(signal.name, shape)
    return call.emit(Reshape, (signal.name,), shape, shape=target)
