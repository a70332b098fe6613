"""Operators of ONNX that join, scale, move or reduce signals, and those on sizes."""

import math
import operator as python
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F

from ann2snn.conversion.refusal import Refused
from ann2snn.exchange.onnx_operator import SIMPLER, Array, Operator, SizeOf, operator

ARITHMETIC = {
    "Add": python.add, "Sub": python.sub, "Mul": python.mul, "Div": python.truediv,
}  # fmt: skip
REDUCTIONS = {"ReduceMean": torch.mean, "ReduceSum": torch.sum}
SOFTMAXES = {"Softmax": torch.softmax, "LogSoftmax": torch.log_softmax}
UNARY: dict[str, Callable[[Any], Any]] = {
    "Neg": python.neg, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Softplus": F.softplus,
}  # fmt: skip


@operator(*ARITHMETIC)
def arithmetic(op: Operator) -> fx.Node:
    return op.call(ARITHMETIC[op.kind], op.operand(0), op.operand(1))


@operator("Sum")
def total(op: Operator) -> fx.Node:
    found = op.operand(0)
    for place in range(1, len(op.inputs)):
        found = op.call(python.add, found, op.operand(place))
    return found if len(op.inputs) > 1 else op.signal()


@operator("Identity")
def unchanged(op: Operator) -> Any:
    return op.input(0)


@operator("Dropout")
def dropout(op: Operator) -> fx.Node:
    op.take("ratio")
    op.take("seed")
    training = op.constant(2)
    if training is not None and training.any():
        raise Refused("drops at random", "an export in eval mode")
    return op.layer(nn.Dropout())


@operator("Concat")
def joined(op: Operator) -> Any:
    """Signals along their channels, or sizes one after another."""
    axis = op.take("axis")
    if any(isinstance(value, list) for value in op.inputs):
        return [size for value in op.inputs for size in sizes(value)]
    return op.call(torch.cat, [op.signal(place) for place in range(len(op.inputs))], axis)


def sizes(value: Any) -> list[Any]:
    """Sizes from a list of them, or from a constant."""
    if isinstance(value, list):
        return value
    if not isinstance(value, Array) or value.ndim > 1 or value.dtype.kind != "i":
        raise Refused("joins sizes with something else", SIMPLER)
    return [int(size) for size in value.reshape(-1)]


@operator("Shape")
def shape(op: Operator) -> SizeOf:
    return SizeOf(op.signal())


@operator("Flatten")
def flat(op: Operator) -> fx.Node:
    axis = op.take("axis", 1)
    if axis != 1 and (axis >= 0 or axis + op.rank() != 1):
        raise Refused(f"flattens from axis {axis} on", "axis=1")
    return op.layer(nn.Flatten())


@operator("Reshape")
def reshaped(op: Operator) -> fx.Node:
    """A flatten where the shape has one axis behind the batch, else x.reshape."""
    signal, given = op.signal(), op.input(1)
    wanted = sizes(given)
    copies = not op.take("allowzero", 0)
    first, rest = wanted[0], wanted[1:]
    if first in (op.batch, 0 if copies else None) and not isinstance(first, fx.Node):
        first = op.method("size", signal, 0)
    if not isinstance(first, fx.Node) and first != -1:
        raise Refused(f"its shape {wanted} does not begin with the batch", SIMPLER)
    if len(rest) == 1 and rest[0] in (-1, _features(op)):
        return op.layer(nn.Flatten())
    if copies:
        rest = [op.method("size", signal, i) if s == 0 else s for i, s in enumerate(rest, 1)]
    return op.method("reshape", signal, first, *rest)


def _features(op: Operator) -> int | None:
    """The numbers of one image in the first input; None where they are not known."""
    known = op.shapes[0]
    if known is None or any(size is None for size in known[1:]):
        return None
    return math.prod(size for size in known[1:] if size is not None)


def axes(op: Operator) -> list[int]:
    """The axes that an operator names, as an input or, in old files, as an attribute; from 0 on."""
    given = op.constant(1)
    found = op.take("axes") if given is None else given.reshape(-1).tolist()
    if not found:
        raise Refused("names no axes", SIMPLER)
    return sorted(int(axis) for axis in found)


@operator("ReduceMean", "ReduceSum")
def reduced(op: Operator) -> fx.Node:
    op.take("noop_with_empty_axes")
    return op.call(REDUCTIONS[op.kind], op.signal(), axes(op), bool(op.take("keepdims", 1)))


@operator("Squeeze")
def squeezed(op: Operator) -> fx.Node:
    rank, found = op.rank(), op.signal()
    for axis in sorted((axis % rank for axis in axes(op)), reverse=True):
        found = op.method("squeeze", found, axis)
    return found


@operator("Unsqueeze")
def unsqueezed(op: Operator) -> Any:
    """A size stays what it is; a signal gets axes of size 1."""
    found = axes(op)
    if isinstance(op.input(0), list):
        return op.input(0)
    rank, signal = op.rank() + len(found), op.signal()
    for axis in sorted(axis % rank for axis in found):
        signal = op.method("unsqueeze", signal, axis)
    return signal


@operator(*SOFTMAXES)
def softmax(op: Operator) -> fx.Node:
    return op.call(SOFTMAXES[op.kind], op.signal(), op.take("axis", -1))


@operator(*UNARY)
def unary(op: Operator) -> fx.Node:
    return op.call(UNARY[op.kind], op.signal())


@operator("Constant")
def constant(op: Operator) -> Array:
    """A tensor, or numbers in attributes of their own."""
    names = ("value", "value_float", "value_floats", "value_int", "value_ints")
    (found,) = [value for value in map(op.take, names) if value is not None] or [None]
    if found is None:
        raise Refused("holds neither numbers nor a tensor", SIMPLER)
    if isinstance(found, Array):
        return found
    kind = np.int64 if isinstance(np.ravel(found)[0], np.integer) else np.float32
    return np.asarray(found, kind)
