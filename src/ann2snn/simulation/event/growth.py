"""The pooling `rise`: the change of the largest count of spikes of each window, net where they are
signed.

It is -1, 0 or 1, and 2 where inputs may be: the largest count cannot rise or fall by more than the
counts that it is one of. Up to 65,000 steps counts fit 16 bits, 32 channels to a vector, and they
stay in registers through all steps of a tile, which makes the exact pooling the fastest too.
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
    for step in range(ahead):
        for pixel in range(op.rows * op.columns):
            for lane in range(-(-op.channels // 32)):
                bring_up(op, bits[step], counts, pixel, lane)
        for row in range(op.out_rows):
            for column in range(op.out_columns):
                for lane in range(-(-op.channels // 32)):
                    change(op, bits[step], counts, tables, row, column, lane)


@plain
def grow_window(
    op: Any, bits: Any, counts: Any, tables: Any, row: Any, column: Any, lane: Any, ahead: Any
) -> None:
    """All steps of 32 channels of a window which shares no input."""
    top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
    left = tables[op.other_table + 2 * column]
    right = tables[op.other_table + 2 * column + 1]
    if bottom - top != 2 or right - left != 2:
        for step in range(ahead):
            for y in range(top, bottom):
                for x in range(left, right):
                    bring_up(op, bits[step], counts, y * op.columns + x, lane)
            change(op, bits[step], counts, tables, row, column, lane)
        return
    none = zeros(counts, 32)
    # fields stand in variables: after each store they would be read again
    words, out_words, negative, second = op.words, op.out_words, op.negative, op.second
    out_negative, out_second = op.out_negative, op.out_second
    stride = -(-op.channels // 32) * 32
    first, pixel = top * op.columns + left, row * op.out_columns + column
    place = op.source + first * words
    below = place + op.columns * words
    target = op.target + pixel * out_words
    at, beside = np.uint64(op.estimate + first * stride + lane * 32), np.uint64(stride)
    under = at + np.uint64(op.columns * stride)
    maximum = np.uint64(op.estimate + (op.rows * op.columns + pixel) * stride + lane * 32)
    a, b = load(counts, at, none), load(counts, at + beside, none)
    c, d = load(counts, under, none), load(counts, under + beside, none)
    before = load(counts, maximum, none)
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
    store(counts, maximum, before)


@plain
def bring_up(op: Any, bits: Any, counts: Any, pixel: Any, lane: Any) -> None:
    """Counts the spikes of a step in: 32 channels of an input pixel."""
    at = np.uint64(op.estimate + (pixel * -(-op.channels // 32) + lane) * 32)
    count, place = load(counts, at, zeros(counts, 32)), op.source + pixel * op.words
    store(counts, at, counted(bits, place, op.negative, op.second, lane, count))


@plain
def change(op: Any, bits: Any, counts: Any, tables: Any, row: Any, column: Any, lane: Any) -> None:
    """What a window hands on in a step, whose spikes are counted in: 32 channels."""
    none, lanes = zeros(counts, 32), -(-op.channels // 32)
    most = none
    for y in range(tables[op.table + 2 * row], tables[op.table + 2 * row + 1]):
        for x in range(
            tables[op.other_table + 2 * column], tables[op.other_table + 2 * column + 1]
        ):
            at = np.uint64(op.estimate + ((y * op.columns + x) * lanes + lane) * 32)
            most = larger(load(counts, at, none), most)
    pixel = row * op.out_columns + column
    at = np.uint64(op.estimate + ((op.rows * op.columns + pixel) * lanes + lane) * 32)
    before = load(counts, at, none)
    store(counts, at, most)
    target = op.target + pixel * op.out_words
    put_change(bits, target, op.out_negative, op.out_second, lane, before, most)


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
