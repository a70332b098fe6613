"""The pooling `rise` of signed spikes: the change of the largest net count of each window.

It is -1, 0 or 1, and 2 where inputs may be: the largest count cannot rise or fall by more than the
counts that it is one of.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import above, add_bits, larger, minus_where
from ann2snn.simulation.event.max_pooling import HALF, half_word, put_half
from ann2snn.simulation.event.vector import load, plain, store, zeros


@plain
def growth_of_signed(op: Any, bits: Any, counts: Any, tables: Any) -> None:
    """Net counts of the inputs at op.estimate, 16 or 32 bits each, then the largest of windows.

    Where no two windows share an input (op.disjoint), counts are brought up to the step as their
    window is looked at.
    """
    none = zeros(counts, 32)
    # fields stand in variables: after each store they would be read again
    columns, out_columns, words, disjoint = op.columns, op.out_columns, op.words, op.disjoint
    source, estimate, target, negative = op.source, op.estimate, op.target, op.negative
    out_words, out_negative, out_second = op.out_words, op.out_negative, op.out_second
    second = op.second
    lanes = -(-op.channels // 32)
    stride = lanes * 32
    pixels = op.rows * columns
    if not disjoint:
        for pixel in range(pixels):
            for lane in range(lanes):
                at = np.uint64(estimate + pixel * stride + lane * 32)
                brought_up(bits, counts, source + pixel * words, negative, second, lane, at, none)
    maxima = estimate + pixels * stride
    for row in range(op.out_rows):
        top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
        for column in range(out_columns):
            left = tables[op.other_table + 2 * column]
            right = tables[op.other_table + 2 * column + 1]
            pixel = row * out_columns + column
            usual = disjoint and bottom - top == 2 and right - left == 2
            for lane in range(lanes):
                if usual:
                    upper = top * columns + left
                    place, below = source + upper * words, source + (upper + columns) * words
                    at = np.uint64(estimate + upper * stride + lane * 32)
                    under, beside = at + np.uint64(columns * stride), np.uint64(stride)
                    a = brought_up(bits, counts, place, negative, second, lane, at, none)
                    b = brought_up(
                        bits, counts, place + words, negative, second, lane, at + beside, none
                    )
                    c = brought_up(bits, counts, below, negative, second, lane, under, none)
                    d = brought_up(
                        bits, counts, below + words, negative, second, lane, under + beside, none
                    )
                    most = larger(larger(a, b), larger(c, d))
                else:
                    most = none
                    for y in range(top, bottom):
                        for x in range(left, right):
                            each = y * columns + x
                            at = np.uint64(estimate + each * stride + lane * 32)
                            if disjoint:
                                place = source + each * words
                                seen = brought_up(
                                    bits, counts, place, negative, second, lane, at, none
                                )
                            else:
                                seen = load(counts, at, none)
                            most = larger(seen, most)
                at = np.uint64(maxima + pixel * stride + lane * 32)
                before = load(counts, at, none)
                store(counts, at, most)
                put_half(bits, target + pixel * out_words, lane, above(most, before))
                put_half(bits, target + out_negative + pixel * out_words, lane, above(before, most))
                if out_second:
                    again = above(most, add_bits(before, HALF))
                    put_half(bits, target + out_second + pixel * out_words, lane, again)


@plain
def brought_up(
    bits: Any, counts: Any, place: Any, negative: Any, second: Any, lane: Any, at: Any, none: Any
) -> Any:
    """The net counts at `at` of 32 channels of the pixel whose bits are at `place`, after this
    step's spikes."""
    count = add_bits(load(counts, at, none), half_word(bits, place, lane))
    count = minus_where(count, 1, half_word(bits, place + negative, lane))
    if second:
        count = add_bits(count, half_word(bits, place + second, lane))
    store(counts, at, count)
    return count
