"""The pooling `rise` of signed spikes: the change of the largest net count of each window.

It is -1, 0 or 1: the largest count cannot rise or fall by more than the counts that it is one of.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import above, add_bits, add_where, larger
from ann2snn.simulation.event.max_pooling import half_word, put_half
from ann2snn.simulation.event.vector import load, plain, store, zeros

MINUS_ONE = np.uint64(0xFFFFFFFFFFFFFFFF)  # whole numbers wrap around


@plain
def growth_of_signed(op: Any, bits: Any, counts: Any, tables: Any) -> None:
    """Net counts of the inputs at op.estimate, 16 or 32 bits each, then the largest of windows.

    Where no two windows share an input (op.disjoint), counts are brought up to the step as their
    window is looked at.
    """
    none = zeros(counts, 32)
    columns, out_columns, words, disjoint = op.columns, op.out_columns, op.words, op.disjoint
    lanes = -(-op.channels // 32)
    stride = lanes * 32
    pixels = op.rows * columns
    if not disjoint:
        for pixel in range(pixels):
            for lane in range(lanes):
                brought_up(op, bits, counts, pixel, lane, stride, none)
    maxima = op.estimate + pixels * stride
    for row in range(op.out_rows):
        top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
        for column in range(out_columns):
            left = tables[op.other_table + 2 * column]
            right = tables[op.other_table + 2 * column + 1]
            pixel = row * out_columns + column
            for lane in range(lanes):
                most = none
                for y in range(top, bottom):
                    for x in range(left, right):
                        each = y * columns + x
                        if disjoint:
                            seen = brought_up(op, bits, counts, each, lane, stride, none)
                        else:
                            place = np.uint64(op.estimate + each * stride + lane * 32)
                            seen = load(counts, place, none)
                        most = larger(seen, most)
                at = np.uint64(maxima + pixel * stride + lane * 32)
                before = load(counts, at, none)
                store(counts, at, most)
                target = op.target + pixel * words
                put_half(bits, target, lane, above(most, before))
                put_half(bits, target + op.out_negative, lane, above(before, most))


@plain
def brought_up(
    op: Any, bits: Any, counts: Any, pixel: Any, lane: Any, stride: Any, none: Any
) -> Any:
    """The net counts of 32 channels of an input pixel after this step's spikes."""
    place = op.source + pixel * op.words
    at = np.uint64(op.estimate + pixel * stride + lane * 32)
    count = add_bits(load(counts, at, none), half_word(bits, place, lane))
    count = add_where(count, half_word(bits, place + op.negative, lane), MINUS_ONE)
    store(counts, at, count)
    return count
