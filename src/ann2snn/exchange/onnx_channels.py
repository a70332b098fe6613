"""Operators of ONNX that pick channels or bring axes into another order."""

import operator as python
from typing import Any

from torch import fx

from ann2snn.conversion.refusal import Refused
from ann2snn.exchange.onnx_operator import SIMPLER, Operator, SizeOf, operator


@operator("Split")
def parts(op: Operator) -> tuple[fx.Node, ...]:
    """Parts of given sizes, or as many of one size as there are outputs, but for the last."""
    axis, count, rank = op.take("axis", 0), op.take("num_outputs", len(op.outputs)), op.rank()
    given = op.constant(1)
    sizes = op.take("split") if given is None else given.tolist()
    whole = (op.shapes[0] or ())[axis % rank]
    if not sizes and whole:
        each = -(-whole // count)
        sizes = [min(each, whole - start) for start in range(0, whole, each)]
    if not sizes:
        raise Refused("names no sizes", SIMPLER)
    if len(sizes) != len(op.outputs):
        raise Refused(f"has {len(op.outputs)} outputs for sizes {list(sizes)}", SIMPLER)
    split = op.method("split", op.signal(), list(sizes), axis)
    return tuple(op.call(python.getitem, split, place) for place in range(len(sizes)))


@operator("Slice")
def sliced(op: Operator) -> fx.Node:
    """Numbers are inputs, or attributes in old files."""
    names = ("starts", "ends", "axes", "steps")
    given = [op.constant(place) for place in range(1, 5)]
    starts, ends, axes, steps = (
        op.take(name) if numbers is None else numbers.tolist()
        for name, numbers in zip(names, given, strict=True)
    )
    index = [slice(None)] * op.rank()
    axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
    backwards = []
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step > 0:
            index[axis] = slice(start, end, step)
            continue
        whole = (op.shapes[0] or ())[axis]
        if whole is None:
            raise Refused(f"has steps {steps} along an axis of unknown size", SIMPLER)
        backwards.append((axis % op.rank(), list(range(whole))[start:end:step]))
    found = op.call(python.getitem, op.signal(), tuple(index))
    for axis, chosen in backwards:
        found = op.call(python.getitem, found, (*[slice(None)] * axis, chosen))
    return found


@operator("Transpose")
def transposed(op: Operator) -> fx.Node:
    return op.method("permute", op.signal(), list(op.take("perm", range(op.rank())[::-1])))


@operator("Gather")
def gathered(op: Operator) -> Any:
    """One size of a signal, or some of its channels."""
    of, place, axis = op.input(0), op.weight(1), op.take("axis", 0)
    if isinstance(of, fx.Node):
        axis %= op.rank()
        return op.call(python.getitem, of, (*[slice(None)] * axis, place.tolist()))
    if not isinstance(of, SizeOf) or axis or place.size != 1:
        raise Refused("picks parts of sizes", SIMPLER)
    return [op.method("size", of.signal, int(place.reshape(())))]
