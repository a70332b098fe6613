"""Flatten, view, reshape and squeeze with a static shape, and the channels that move between two of
them."""

import math
from typing import Any

import torch
from torch import nn

from ann2snn.conversion.layers.registry import (
    BATCH,
    Batch,
    Call,
    Rearranged,
    Signal,
    function,
    method,
    module,
    rearranging,
    spec_shape,
)
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Reshape, Select
from ann2snn.spec.nodes import Shape


@module(nn.Flatten)
@function(torch.flatten)
@method("flatten")
@rearranging
def flatten(call: Call) -> Signal | Rearranged:
    """A flatten of image axes."""
    shape = _shape(call)
    rank = len(shape) + 1
    first = call.argument(1, "start_dim", 0) % rank
    last = call.argument(2, "end_dim", -1) % rank
    if first == 0:
        raise Refused("flattens the batch into the image", "start_dim=1")
    middle = math.prod(shape[first - 1 : last])
    return _given_shape(call, (*shape[: first - 1], middle, *shape[last:]))


@module(nn.Unflatten)
@function(torch.unflatten)
@method("unflatten")
@rearranging
def unflatten(call: Call) -> Signal | Rearranged:
    """nn.Unflatten of an image axis."""
    shape = _shape(call)
    axis = call.argument(1, "dim") % (len(shape) + 1) - 1
    if axis < 0:
        raise Refused("unflattens the batch", "an axis of the image")
    sizes = tuple(call.argument(2, "sizes" if call.module is None else "unflattened_size"))
    if sizes.count(-1) == 1:
        known = -math.prod(sizes)
        sizes = tuple(shape[axis] // known if size == -1 else size for size in sizes)
    return _given_shape(call, (*shape[:axis], *sizes, *shape[axis + 1 :]))


@method("view", "reshape")
@function(torch.reshape)
@rearranging
def reshape(call: Call) -> Signal | Rearranged:
    """x.view(batch, ...): all sizes known but one at most."""
    before = _shape(call)
    sizes = call.argument(1, "shape")
    wanted = list(sizes) if isinstance(sizes, tuple | list) else list(call.args[1:])
    free = math.prod(before)
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
        raise Refused(f"{before} does not reshape to {tuple(shape)} for each image", cure)
    return _given_shape(call, tuple(shape))


@method("squeeze", "unsqueeze")
@function(torch.squeeze, torch.unsqueeze)
@rearranging
def squeeze(call: Call) -> Signal | Rearranged:
    """Axes of size one that go or come, but never the batch."""
    shape = list(_shape(call))
    dim = call.argument(1, "dim")
    rank = len(shape) + 1
    if not isinstance(dim, int) or dim in (0, -rank):
        raise Refused(
            "squeezes the batch if it is 1", f"{call.operation}(dim) with dim of the image"
        )
    if call.operation == "unsqueeze":
        shape.insert(dim - 1 if dim > 0 else rank + dim, 1)
    elif shape[place := (dim - 1 if dim > 0 else rank + dim - 1)] == 1:
        del shape[place]
    return _given_shape(call, tuple(shape))


@method("size")
@rearranging
def size(call: Call) -> Any:
    """x.size() and x.size(axis): constants but for the batch."""
    sizes = (BATCH, *_shape(call))
    axis = call.argument(1, "dim")
    return sizes if axis is None else sizes[axis]


@method("dim", "ndimension")
@rearranging
def dim(call: Call) -> int:
    """The number of axes."""
    return len(_shape(call)) + 1


@function(getattr)
@rearranging
def attribute(call: Call) -> Any:
    """x.shape and x.ndim."""
    shape = (BATCH, *_shape(call))
    match call.args[1]:
        case "shape":
            return shape
        case "ndim":
            return len(shape)
        case name:
            raise Refused(f"reads {name} of a signal", "only x.shape and x.ndim are known")


def _shape(call: Call) -> Shape:
    value = call.argument(0, "input")
    return tuple(value.units.shape) if isinstance(value, Rearranged) else call.signal().shape


def _given_shape(call: Call, shape: Shape) -> Signal | Rearranged:
    """The first argument in another shape."""
    value = call.argument(0, "input")
    if isinstance(value, Signal) and len(shape) in (1, 2, 3):
        return reshaped(call, value, shape)
    before = rearranged(call, value)
    return settled(call, before.source, before.units.reshape(shape))


def reshaped(call: Call, signal: Signal, shape: Shape) -> Signal:
    """A `Reshape` node of the signal, or of what it is itself a mere other shape of; none where the
    numbers already stand so."""
    target, source = spec_shape(shape), unshaped(call, signal)
    if target == call.graph.shapes()[source.name]:
        if not call.nodes:
            call.note = "the shape stays as it is"
        return Signal(source.name, shape)
    return call.emit(Reshape, (source.name,), shape, shape=target)


def unshaped(call: Call, signal: Signal) -> Signal:
    """The signal that this one is a mere other shape of, or itself."""
    node = call.graph.nodes[signal.name]
    if not isinstance(node, Reshape):
        return signal
    (source,) = node.inputs
    return unshaped(call, Signal(source, call.graph.shapes()[source]))


def rearranged(call: Call, value: Signal | Rearranged) -> Rearranged:
    """The signal as what it is made of, unit by unit."""
    if isinstance(value, Rearranged):
        return value
    units = torch.arange(math.prod(value.shape)).reshape(value.shape)
    return Rearranged(unshaped(call, value), units)


def settled(call: Call, source: Signal, units: torch.Tensor) -> Signal | Rearranged:
    """A `Select` of whole channels of `source` and its shape, where `units` are such, or features
    in any order; else they stay on their way."""
    shape = call.graph.shapes()[source.name]
    pixels = math.prod(shape[1:])
    rows = units.reshape(-1, pixels if units.numel() % pixels == 0 else 1)
    channels = rows[:, 0] // pixels
    whole = torch.equal(rows, channels[:, None] * pixels + torch.arange(pixels))
    if units.ndim not in (1, 2, 3) or not (whole or units.ndim == 1):
        call.note = "moves channels, as the operations after it put them together"
        return Rearranged(source, units)
    if not whole:
        source, channels = reshaped(call, source, (math.prod(shape),)), units
    if not torch.equal(channels, torch.arange(call.graph.shapes()[source.name][0])):
        source = call.emit(Select, (source.name,), (), channels=tuple(channels.tolist()))
    return reshaped(call, source, tuple(units.shape))
