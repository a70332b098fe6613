"""The pooling `rise`: the change of the largest count of spikes of each window, net where they are
signed.

It is -1, 0 or 1, and 2 where inputs may be: the largest count cannot rise or fall by more than the
counts that it is one of. As long as counts fit 16 bits, 32 channels are a vector, and those of a
window of 2x2 that shares no input stay in registers through all steps of a tile, which makes the
exact pooling the fastest too.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import above, add_bits, larger, minus_where
from ann2snn.simulation.event.max_pooling import HALF, half_word, put_half
from ann2snn.simulation.event.vector import load, plain, store, zeros


@plain
def growth(op: Any, bits: Any, counts: Any, tables: Any, ahead: Any) -> None:
    """`ahead` steps; `counts` of the inputs lie at op.estimate, then the largest ones.

    Where windows share inputs (not op.disjoint), the counts of all are brought up to a step before
    any window is looked at.
    """
    if op.disjoint:
        for row in range(op.out_rows):
            for column in range(op.out_columns):
                for lane in range(-(-op.channels // 32)):
                    grow_window(op, bits, counts, tables, row, column, lane, ahead)
        return
    # fields stand in variables: after each store they would be read again
    source, words, pixels, estimate = op.source, op.words, op.rows * op.columns, op.estimate
    negative, second, lanes = op.negative, op.second, -(-op.channels // 32)
    out_rows, out_columns = op.out_rows, op.out_columns
    for step in range(ahead):
        for pixel in range(pixels):
            for lane in range(lanes):
                at = np.uint64(estimate + (pixel * lanes + lane) * 32)
                count = load(counts, at, zeros(counts, 32))
                place = source + pixel * words
                store(counts, at, counted(bits[step], place, negative, second, lane, count))
        for row in range(out_rows):
            for column in range(out_columns):
                look_at_window(op, bits[step], counts, tables, row, column)


@plain
def look_at_window(op: Any, bits: Any, counts: Any, tables: Any, row: Any, column: Any) -> None:
    """What a window hands on in a step whose spikes are counted in."""
    none, lanes, columns = zeros(counts, 32), -(-op.channels // 32), op.columns
    top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
    left = tables[op.other_table + 2 * column]
    right = tables[op.other_table + 2 * column + 1]
    estimate, pixel = op.estimate, row * op.out_columns + column
    maxima = estimate + (op.rows * columns + pixel) * lanes * 32
    target = op.target + pixel * op.out_words
    negative, second = op.out_negative, op.out_second
    for lane in range(lanes):
        most = none
        for y in range(top, bottom):
            for x in range(left, right):
                at = np.uint64(estimate + ((y * columns + x) * lanes + lane) * 32)
                most = larger(load(counts, at, none), most)
        at = np.uint64(maxima + lane * 32)
        before = load(counts, at, none)
        store(counts, at, most)
        put_change(bits, target, negative, second, lane, before, most)


@plain
def grow_window(
    op: Any, bits: Any, counts: Any, tables: Any, row: Any, column: Any, lane: Any, ahead: Any
) -> None:
    """All steps of 32 channels of a window that shares no input: 2x2 in registers."""
    none = zeros(counts, 32)
    # fields stand in variables: after each store they would be read again
    words, columns, negative, second = op.words, op.columns, op.negative, op.second
    out_negative, out_second = op.out_negative, op.out_second
    top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
    left = tables[op.other_table + 2 * column]
    right = tables[op.other_table + 2 * column + 1]
    stride = -(-op.channels // 32) * 32
    first, pixel = top * columns + left, row * op.out_columns + column
    source, estimate = op.source, op.estimate + lane * 32
    target = op.target + pixel * op.out_words
    maximum = np.uint64(estimate + (op.rows * columns + pixel) * stride)
    before = load(counts, maximum, none)
    if bottom - top == 2 and right - left == 2:
        place, below = source + first * words, source + (first + columns) * words
        at, beside = np.uint64(estimate + first * stride), np.uint64(stride)
        under = at + np.uint64(columns * stride)
        a, b = load(counts, at, none), load(counts, at + beside, none)
        c, d = load(counts, under, none), load(counts, under + beside, none)
        for step in range(ahead):
            spikes = bits[step]
            a = counted(spikes, place, negative, second, lane, a)
            b = counted(spikes, place + words, negative, second, lane, b)
            c = counted(spikes, below, negative, second, lane, c)
            d = counted(spikes, below + words, negative, second, lane, d)
            most = larger(larger(a, b), larger(c, d))
            put_change(spikes, target, out_negative, out_second, lane, before, most)
            before = most
        store(counts, at, a)
        store(counts, at + beside, b)
        store(counts, under, c)
        store(counts, under + beside, d)
    else:
        for step in range(ahead):
            most = none
            for y in range(top, bottom):
                for x in range(left, right):
                    each = y * columns + x
                    at = np.uint64(estimate + each * stride)
                    count, place = load(counts, at, none), source + each * words
                    count = counted(bits[step], place, negative, second, lane, count)
                    store(counts, at, count)
                    most = larger(count, most)
            put_change(bits[step], target, out_negative, out_second, lane, before, most)
            before = most
    store(counts, maximum, before)


@plain
def counted(bits: Any, place: Any, negative: Any, second: Any, lane: Any, count: Any) -> Any:
    """The counts of 32 channels of the pixel whose bits are at `place`, after a step's spikes."""
    count = add_bits(count, half_word(bits, place, lane))
    if negative:
        count = minus_where(count, 1, half_word(bits, place + negative, lane))
    if second:
        count = add_bits(count, half_word(bits, place + second, lane))
    return count


@plain
def put_change(
    bits: Any, target: Any, negative: Any, second: Any, lane: Any, before: Any, most: Any
) -> None:
    """Writes the change of the largest counts of 32 channels as spikes."""
    put_half(bits, target, lane, above(most, before))
    if negative:
        put_half(bits, target + negative, lane, above(before, most))
    if second:
        put_half(bits, target + second, lane, above(most, add_bits(before, HALF)))
