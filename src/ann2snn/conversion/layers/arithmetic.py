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
    return _sum(call, minus=False)


@function(operator.sub, operator.isub, torch.sub, torch.subtract)
@method("sub", "sub_", "subtract", "subtract_")
def subtract(call: Call) -> Signal:
    """x - y of two branches, or of a branch and a constant."""
    return _sum(call, minus=True)


def _sum(call: Call, *, minus: bool) -> Signal:
    if call.kwargs.get("alpha", 1) != 1:
        name, sign = ("sub", "-") if minus else ("add", "+")
        raise Refused(f"{name} with alpha", f"x {sign} alpha * y")
    first, second = operands(call)
    if not isinstance(second, Signal):
        return affine(call, first, 1.0, -second if minus else second)
    if not isinstance(first, Signal):
        return affine(call, second, -1.0 if minus else 1.0, first)
    second = affine(call, second, -1.0, 0.0) if minus else second
    if first.shape != second.shape:
        raise Refused(f"adds shapes {first.shape} and {second.shape}", "branches of one shape")
    return call.emit(Add, (first.name, second.name), first.shape)


@function(operator.mul, operator.imul, torch.mul, torch.multiply)
@method("mul", "mul_", "multiply", "multiply_")
def multiply(call: Call) -> Signal:
    """x times a constant."""
    first, second = operands(call)
    if isinstance(first, Signal) and isinstance(second, Signal):
        raise Refused("multiplies two signals, which spikes cannot", "a product with constants")
    signal, constant = (first, second) if isinstance(first, Signal) else (second, first)
    return affine(call, signal, constant, 0.0)


@function(operator.truediv, operator.itruediv, torch.div, torch.divide, torch.true_divide)
@method("div", "div_", "divide", "divide_", "true_divide", "true_divide_")
def divide(call: Call) -> Signal:
    """x divided by a constant."""
    first, second = operands(call)
    if isinstance(second, Signal) or call.kwargs.get("rounding_mode"):
        raise Refused("divides by a signal or rounds", "a division by a constant")
    return affine(call, first, 1 / second, 0.0)


@function(operator.neg, torch.neg, torch.negative)
@method("neg", "neg_", "negative", "negative_")
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
    values, rank, shape = array(value), len(signal.shape), spec_shape(signal.shape)
    if values.ndim == rank + 1 and values.shape[0] == 1:
        values = values[0]
    fits = values.ndim <= rank
    if values.ndim and fits:
        values = values.reshape((1,) * (rank - values.ndim) + values.shape)
        values = values[:, None, :] if rank == 2 else values
        sizes = zip(values.shape, shape, strict=True)
        fits = all(size in (1, whole) for size, whole in sizes)
    if not fits:
        raise Refused(
            f"a constant of shape {tuple(value.shape)} widens the signal", "one image's shape"
        )
    return values
