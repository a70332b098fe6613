"""Currents of a convolution of the analog image, once before the first step.

The twin of `constant_currents` for one image: sums of whole numbers k times weights on the grid,
exact in float64 whatever their order, then one division, the bias, and one rounding to the grid.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from ann2snn.simulation.event.vector import (
    FIRST,
    Vector,
    instruction,
    load,
    plain,
    splat,
    store,
    zeros,
    zeros_like,
)


@plain
def convolve_image(op: Any, pixels: Any, reals: Any, values: Any) -> None:
    """Currents to op.target, from pixels k in (channel, row, column) order.

    Weights lie in `reals` as (input channel, kernel row, kernel column, output channel), and at
    op.unit the number of levels, the units in one, and what one such unit is in `values`.
    """
    for row in range(op.out_rows):
        channel = FIRST
        while channel < op.out_width:
            if op.out_width - channel >= 32:
                weigh_row(op, row, channel, pixels, reals, values, zeros(reals, 32))
                channel += 32
            else:
                weigh_row(op, row, channel, pixels, reals, values, zeros(reals, 16))
                channel += 16


@plain
def weigh_row(
    op: Any, row: Any, channel: Any, pixels: Any, reals: Any, values: Any, nothing: Any
) -> None:
    """One output row for as many output channels, from `channel` on, as `nothing` has lanes."""
    levels, units, factor = reals[op.unit], reals[op.unit + 1], reals[op.unit + 2]
    bias = load(reals, np.uint64(op.bias + channel), nothing)
    width, rows, columns = op.out_width, op.rows, op.columns
    kernel_rows, kernel_columns, channels = op.kernel_rows, op.kernel_columns, op.channels
    top = row * op.stride_rows - op.top
    column, two = 0, op.stride_columns
    while column < op.out_columns:
        left = column * op.stride_columns - op.left
        # where both see the whole kernel's columns, two pixels take each weight once
        last = left + two + (kernel_columns - 1) * op.dilation_columns
        both = column + 1 < op.out_columns and left >= 0 and last < columns
        total, other = nothing, nothing
        for tap_row in range(kernel_rows):
            y = top + tap_row * op.dilation_rows
            if y < 0 or y >= rows:
                continue
            for tap in range(kernel_columns):
                x = left + tap * op.dilation_columns
                if x < 0 or x >= columns:
                    continue
                at = np.uint64(op.weight + (tap_row * kernel_columns + tap) * width + channel)
                pixel = np.uint64(y * columns + x)
                for _ in range(channels):
                    weight = load(reals, at, nothing)
                    total = add_product(total, pixels[pixel], weight)
                    if both:
                        other = add_product(other, pixels[pixel + np.uint64(two)], weight)
                    at += np.uint64(kernel_rows * kernel_columns * width)
                    pixel += np.uint64(rows * columns)
        place = np.uint64(op.target + (row * op.out_columns + column) * width + channel)
        like = zeros_like(nothing, values)
        store(values, place, rounded_currents(total, levels, bias, units, factor, like))
        column += 1
        if both:
            place += np.uint64(width)
            store(values, place, rounded_currents(other, levels, bias, units, factor, like))
            column += 1


@instruction
def add_product(_typing: Any, total: Any, _number: Any, vector: Any) -> Any:
    """`total` + `number` * `vector`; exact here, so it is all one whether it rounds in between."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        sums, factor, weights = arguments
        kind = sums.type
        fused = builder.module.declare_intrinsic(
            f"llvm.fmuladd.v{total.lanes}f64", fnty=ir.FunctionType(kind, [kind] * 3)
        )
        return builder.call(fused, [splat(builder, factor, kind), weights, sums])

    return total(total, types.float64, vector), generate


@instruction
def rounded_currents(
    _typing: Any, sums: Any, _levels: Any, bias: Any, _units: Any, _factor: Any, like: Any
) -> Any:
    """(sums / levels + bias) in `units` of one, rounded half to even, times `factor`, of the type
    of the elements of `like`."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        total, levels, start, units, factor, _ = arguments
        kind = total.type
        value = builder.fadd(builder.fdiv(total, splat(builder, levels, kind)), start)
        nearest = builder.module.declare_intrinsic(
            f"llvm.rint.v{sums.lanes}f64", fnty=ir.FunctionType(kind, [kind])
        )
        value = builder.call(nearest, [builder.fmul(value, splat(builder, units, kind))])
        value = builder.fmul(value, splat(builder, factor, kind))
        wanted = context.get_value_type(like)
        if isinstance(like.dtype, types.Integer):
            return builder.fptosi(value, wanted)
        return value if like.dtype is types.float64 else builder.fptrunc(value, wanted)

    number = types.float64
    return Vector(like.dtype, like.lanes)(sums, number, bias, number, number, like), generate
