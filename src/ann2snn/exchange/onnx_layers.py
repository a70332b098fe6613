"""Operators of ONNX that are layers of torch: convolutions, products, pools, ReLUs."""

import math
from typing import Any

import numpy as np
from torch import fx, nn

from ann2snn.conversion.refusal import Refused
from ann2snn.exchange.onnx_operator import Operator, operator
from ann2snn.numerics.windows import same_padding

CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d}
NORMS: dict[int, Any] = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}
POOLS: dict[tuple[str, int], Any] = {
    ("MaxPool", 1): nn.MaxPool1d, ("MaxPool", 2): nn.MaxPool2d,
    ("AveragePool", 1): nn.AvgPool1d, ("AveragePool", 2): nn.AvgPool2d,
    ("GlobalMaxPool", 1): nn.AdaptiveMaxPool1d, ("GlobalMaxPool", 2): nn.AdaptiveMaxPool2d,
    ("GlobalAveragePool", 1): nn.AdaptiveAvgPool1d, ("GlobalAveragePool", 2): nn.AdaptiveAvgPool2d,
}  # fmt: skip


def of_axes(table: dict[Any, Any], key: Any, axes: int) -> Any:
    """The layer for a number of axes.

    Raises:
        Refused: there is none.
    """
    if key not in table:
        raise Refused(f"works on {axes} axes of space", "one or two axes")
    return table[key]


@operator("Conv")
def convolution(op: Operator) -> fx.Node:
    weight, bias = op.weight(1), op.constant(2)
    axes, kernel = weight.ndim - 2, weight.shape[2:]
    if tuple(op.take("kernel_shape", kernel)) != kernel:
        raise Refused(f"its kernel_shape is not that of its weight, {kernel}", "equal shapes")
    kind = of_axes(CONVOLUTIONS, axes, axes)
    groups = op.take("group", 1)
    strides = tuple(op.take("strides", [1] * axes))
    dilations = tuple(op.take("dilations", [1] * axes))
    before, after = paddings(op, axes)
    padding: Any = before
    same = [same_padding(k, d) for k, d in zip(kernel, dilations, strict=True)]
    automatic = op.take("auto_pad", "NOTSET")
    if automatic == "SAME_UPPER" or (
        before != after and list(zip(before, after, strict=True)) == same
    ):
        if strides != (1,) * axes:
            raise Refused("pads for equal sizes with a stride", "padding in numbers")
        padding = "same"
    elif automatic not in ("NOTSET", "VALID") or before != after:
        raise Refused("pads the ends of an axis differently", "padding alike at both ends")
    layer = kind(
        weight.shape[1] * groups, len(weight), kernel, strides, padding, dilations, groups,
        bias=bias is not None,
    )  # fmt: skip
    return op.layer(layer, ("weight", weight), ("bias", bias))


def paddings(op: Operator, axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Zeros before and after each axis."""
    pads = op.take("pads", [0] * 2 * axes)
    return tuple(pads[:axes]), tuple(pads[axes:])


@operator("Gemm")
def product(op: Operator) -> fx.Node:
    """alpha A B + beta C."""
    if op.take("transA", 0):
        raise Refused("transposes the batch", "transA=0")
    weight = op.weight(1) if op.take("transB", 0) else op.weight(1).T
    alpha, beta, bias = op.take("alpha", 1.0), op.take("beta", 1.0), op.constant(2)
    if alpha != 1:
        weight = weight * weight.dtype.type(alpha)
    if bias is not None and bias.ndim == 2 and len(bias) != 1:
        raise Refused("adds another bias to each image", "C of shape (1, outputs)")
    if bias is not None:
        bias = np.broadcast_to(bias.reshape(-1), len(weight)) * bias.dtype.type(beta)
    layer = nn.Linear(weight.shape[1], len(weight), bias=bias is not None)
    return op.layer(layer, ("weight", weight), ("bias", bias))


@operator("MatMul")
def matrix(op: Operator) -> fx.Node:
    weight = op.weight(1).T
    if weight.ndim != 2:
        raise Refused(f"its matrix has {weight.ndim} axes", "a matrix")
    return op.layer(nn.Linear(weight.shape[1], len(weight), bias=False), ("weight", weight))


@operator("BatchNormalization")
def normalization(op: Operator) -> fx.Node:
    if op.take("training_mode", 0) or any(op.outputs[1:]):  # old files say it by outputs alone
        raise Refused("normalizes by the batch's own statistics", "an export in eval mode")
    if not op.take("spatial", 1):
        raise Refused("normalizes each place by statistics of its own", "spatial=1")
    op.take("momentum")
    gain, bias, mean, variance = (op.weight(place) for place in (1, 2, 3, 4))
    layer = of_axes(NORMS, op.rank(), op.rank() - 2)(len(gain), op.take("epsilon", 1e-5))
    return op.layer(
        layer, ("weight", gain), ("bias", bias), ("running_mean", mean), ("running_var", variance)
    )


@operator("Relu")
def rectified(op: Operator) -> fx.Node:
    return op.layer(nn.ReLU())


@operator("Clip")
def clipped(op: Operator) -> fx.Node:
    """Limits are inputs, or attributes in old files."""
    low, high = (
        op.take(name, default) if op.constant(place) is None else op.weight(place).item()
        for place, name, default in ((1, "min", -math.inf), (2, "max", math.inf))
    )
    if (low, high) == (0, math.inf):
        return op.layer(nn.ReLU())
    if (low, high) == (0, 6):
        return op.layer(nn.ReLU6())
    if low >= high:
        raise Refused(f"clips to {low} and {high}", "limits one above the other")
    return op.layer(nn.Hardtanh(low, high))


@operator("MaxPool", "AveragePool")
def pool(op: Operator) -> fx.Node:
    kernel = tuple(op.take("kernel_shape"))
    axes = len(kernel)
    before, after = paddings(op, axes)
    if before != after or op.take("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise Refused("pads the ends of an axis differently", "padding alike at both ends")
    if set(op.take("dilations", [1])) != {1} or op.take("storage_order", 0):
        raise Refused("has dilations or a storage order", "dilations of 1, storage_order=0")
    named: dict[str, Any] = {"ceil_mode": bool(op.take("ceil_mode", 0))}
    if op.kind == "AveragePool":
        named["count_include_pad"] = bool(op.take("count_include_pad", 0))
    strides = tuple(op.take("strides", [1] * axes))
    return op.layer(of_axes(POOLS, (op.kind, axes), axes)(kernel, strides, before, **named))


@operator("GlobalMaxPool", "GlobalAveragePool")
def whole_pool(op: Operator) -> fx.Node:
    axes = op.rank() - 2
    return op.layer(of_axes(POOLS, (op.kind, axes), axes)(1))
