"""Sums of branches, concatenation, and sums and products with constants."""

import operator
from typing import Any

import numpy as np
import torch

from ann2snn.conversion.layers.registry import (
    Call,
    Signal,
    array,
    function,
    method,
    spec_shape,
)
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Add, Affine, Concat
from ann2snn.spec.nodes import Array


@function(operator.add, operator.iadd, torch.add)
@method("add", "add_")
def add(call: Call) -> Signal:
    """x + y of two branches, or of a branch and a constant."""
    if call.kwargs.get("alpha", 1) != 1:
        raise Refused("add with alpha", "x + alpha * y")
    first, second = operands(call)
    if isinstance(first, Signal) and isinstance(second, Signal):
        return joined(call, first, second)
    signal, constant = (first, second) if isinstance(first, Signal) else (second, first)
    return affine(call, signal, 1.0, constant)


@function(operator.sub, operator.isub, torch.sub)
@method("sub", "sub_")
def subtract(call: Call) -> Signal:
    """x - y of two branches, or of a branch and a constant."""
    if call.kwargs.get("alpha", 1) != 1:
        raise Refused("sub with alpha", "x - alpha * y")
    first, second = operands(call)
    if isinstance(first, Signal) and isinstance(second, Signal):
        return joined(call, first, affine(call, second, -1.0, 0.0))
    if isinstance(first, Signal):
        return affine(call, first, 1.0, -second)
    return affine(call, second, -1.0, first)


@function(operator.mul, operator.imul, torch.mul)
@method("mul", "mul_")
def multiply(call: Call) -> Signal:
    """x times a constant."""
    first, second = operands(call)
    if isinstance(first, Signal) and isinstance(second, Signal):
        raise Refused("multiplies two signals, which spikes cannot", "a product with constants")
    signal, constant = (first, second) if isinstance(first, Signal) else (second, first)
    return affine(call, signal, constant, 0.0)


@function(operator.truediv, operator.itruediv, torch.div)
@method("div", "div_")
def divide(call: Call) -> Signal:
    """x divided by a constant."""
    first, second = operands(call)
    if isinstance(second, Signal) or call.kwargs.get("rounding_mode"):
        raise Refused("divides by a signal or rounds", "a division by a constant")
    return affine(call, first, 1 / second, 0.0)


@function(operator.neg, torch.neg)
@method("neg", "neg_")
def negate(call: Call) -> Signal:
    """-x."""
    return affine(call, call.signal(), -1.0, 0.0)


@function(torch.cat, torch.concat, torch.concatenate)
def concatenate(call: Call) -> Signal:
    """Branches one after another along the channels, or features; each keeps its scale."""
    parts = call.argument(0, "tensors")
    axis = call.argument(1, "dim", 0)
    if not isinstance(parts, tuple | list) or not all(isinstance(p, Signal) for p in parts):
        raise Refused("joins the signal with a constant", "branches of the network only")
    rank = len(parts[0].shape) + 1
    if axis % rank != 1 or len({part.shape[1:] for part in parts}) != 1:
        raise Refused(f"joins along axis {axis}", "dim=1, the channels")
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    return call.emit(Concat, tuple(part.name for part in parts), shape)


def operands(call: Call) -> tuple[Any, Any]:
    """Both arguments of an operator."""
    return call.argument(0, "input"), call.argument(1, "other")


def joined(call: Call, first: Signal, second: Signal) -> Signal:
    """An `Add` node of branches of one shape."""
    if first.shape != second.shape:
        raise Refused(f"adds shapes {first.shape} and {second.shape}", "branches of one shape")
    return call.emit(Add, (first.name, second.name), first.shape)


def affine(call: Call, signal: Signal, gain: Any, bias: Any) -> Signal:
    """gain x + bias with constants that broadcast to the signal."""
    fields = {"gain": constant(signal, gain), "bias": constant(signal, bias)}
    return call.emit(Affine, (signal.name,), signal.shape, **fields)


def constant(signal: Signal, value: Any) -> Array:
    """A constant in the axes of the signal's node."""
    if isinstance(value, int | float):
        return np.array(float(value))
    if not isinstance(value, torch.Tensor):
        raise Refused(f"combines the signal with {value!r}", "a number or a parameter")
    values, rank = array(value), len(signal.shape)
    if values.ndim == rank + 1 and values.shape[0] == 1:
        values = values[0]
    if values.ndim > rank:
        raise Refused(
            f"a constant of shape {tuple(value.shape)} widens the signal", "one image's shape"
        )
    values = values.reshape((1,) * (rank - values.ndim) + values.shape) if values.ndim else values
    if rank == 2 and values.ndim == 2:
        values = values[:, None, :]
    try:
        fits = np.broadcast_shapes(values.shape, spec_shape(signal.shape))
    except ValueError:
        fits = ()
    if fits != spec_shape(signal.shape):
        raise Refused(
            f"a constant of shape {tuple(value.shape)} widens the signal", "one image's shape"
        )
    return values
