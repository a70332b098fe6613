"""Convolution of spikes, three columns wide and with stride 1, as a gather, firing as it goes.

An output row sees a few input rows. Their spikes are listed column by column, once for the row;
then a window of three output columns slides over the list. The sums of the three stand in
registers: a spike in input column x adds one row of weights (contiguous over output channels) to
each of the output columns x + left, x + left - 1 and x + left - 2. When x passes, the last of the
three is complete: its neurons take the sum and fire without it ever being written.

The other way, scatter (each spike adds to nine places in memory), is bound by loads and stores of
the sums: measured half as fast.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import (
    add,
    at_least,
    fold,
    larger,
    largest_lane,
    magnitude,
    minus_where,
    zero_where,
)
from ann2snn.simulation.event.bit_lists import list_bits
from ann2snn.simulation.event.neurons import both_ways, put_bits, take_back
from ann2snn.simulation.event.sums import add_pair, currents, widest_sums, zero_sums
from ann2snn.simulation.event.vector import lanes_of, load, plain, store, zeros, zeros_like

END = np.uint16(0xFFFF)


@plain
def convolve_rows(
    op: Any, rows: Any, weights: Any, tables: Any, state: Any, bits: Any,
    counts: Any, estimates: Any, largest: Any, events: Any,
) -> None:  # fmt: skip
    """All output rows, in groups of as many output channels as registers take.

    `rows` are the weights: numbers as `weights` has them, or 16-bit whole numbers of a unit that
    stands in `weights` at op.unit, in the order that `add_pair` takes.
    """
    most = zeros(state, 16)
    widest = widest_sums(rows)
    for row in range(op.out_rows):
        if op.joint:
            list_joint_row(op, row, bits, events)
        elif op.pooled:
            list_pooled_row(op, row, tables, bits, events)
        elif op.negative:
            list_signed_row(op, row, bits, events)
        else:
            list_row(op, row, bits, events)
        channel = 0
        while channel < op.out_width:
            rest = op.out_width - channel
            if rest >= lanes_of(widest):
                most = slide(
                    op, row, channel, rows, weights, state, bits, counts, estimates, events,
                    widest, zeros_like(widest, state), most,
                )  # fmt: skip
                channel += lanes_of(widest)
            elif rest >= 32:
                most = slide(
                    op, row, channel, rows, weights, state, bits, counts, estimates, events,
                    zero_sums(rows, 32), zeros(state, 32), most,
                )  # fmt: skip
                channel += 32
            else:
                most = slide(
                    op, row, channel, rows, weights, state, bits, counts, estimates, events,
                    zero_sums(rows, 16), zeros(state, 16), most,
                )  # fmt: skip
                channel += 16
    if op.fires:
        largest[op.mark] = max(largest[op.mark], largest_lane(most))


@plain
def list_row(op: Any, row: Any, bits: Any, events: Any) -> None:
    """Lists the spikes that an output row sees, column by column, each column ended by `END`.

    A spike of channel c in kernel row k is listed as k * channels + c, its row of weights. Spikes
    are taken in pairs, so a row of zeros fills an odd column up. The end marks cost the sliding
    loop one branch a column; counted loops, which the compiler unrolls, cost two or three that are
    mispredicted.
    """
    count = np.uint64(0)
    # fields stand in variables: after each store into a list they would be read again
    columns, left, words, channels = op.columns, op.left, op.words, op.channels
    wide, zero_row = channels > 32, np.uint16(op.kernel_rows * channels)
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    line = np.uint64(columns * words)
    above = np.uint64(op.source + (row + top - op.top) * columns * words)
    for slot in range(op.out_columns + 2):
        begin = count
        column = slot - left
        if 0 <= column < columns:
            at = above + np.uint64(column * words)
            first = top * channels
            for _ in range(top, bottom):
                count = list_bits(bits[at], wide, first, events, count)
                for word in range(1, words):
                    mask = bits[at + np.uint64(word)]
                    count = list_bits(mask, wide, first + word * 64, events, count)
                at += line
                first += channels
        count = ended(zero_row, begin, events, count)


@plain
def list_signed_row(op: Any, row: Any, bits: Any, events: Any) -> None:
    """As `list_row`, of signed spikes: a negative one is listed as the negated row of weights."""
    count = np.uint64(0)
    columns, left, words, channels = op.columns, op.left, op.words, op.channels
    wide, zero_row = channels > 32, np.uint16(op.kernel_rows * channels)
    negated, negative = op.kernel_rows * channels + 1, np.uint64(op.negative)
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    line = np.uint64(columns * words)
    above = np.uint64(op.source + (row + top - op.top) * columns * words)
    for slot in range(op.out_columns + 2):
        begin = count
        column = slot - left
        if 0 <= column < columns:
            at = above + np.uint64(column * words)
            first = top * channels
            for _ in range(top, bottom):
                for word in range(words):
                    place = at + np.uint64(word)
                    count = list_bits(bits[place], wide, first + word * 64, events, count)
                    mask = bits[place + negative]
                    if mask != 0:
                        base = negated + first + word * 64
                        count = list_bits(mask, wide, base, events, count)
                at += line
                first += channels
        count = ended(zero_row, begin, events, count)


@plain
def list_joint_row(op: Any, row: Any, bits: Any, events: Any) -> None:
    """As `list_row`, where the channels that a column of the kernel sees are so few that every
    combination of spikes has a row of weights, their sum: the lower half of the column's bits names
    the one, the upper half the other of its two events, and no branch depends on a spike."""
    count = np.uint64(0)
    columns, left, channels, joint = op.columns, op.left, op.channels, np.uint64(op.joint)
    uppers = np.uint64(1) << joint
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    line = np.uint64(columns)
    above = np.uint64(op.source + (row + top - op.top) * columns)
    for slot in range(op.out_columns + 2):
        column = slot - left
        spikes = np.uint64(0)
        if 0 <= column < columns:
            at = above + np.uint64(column)
            place = np.uint64(top * channels)
            for _ in range(top, bottom):
                spikes |= bits[at] << place
                at += line
                place += np.uint64(channels)
        events[count] = spikes & (uppers - np.uint64(1))
        events[count + np.uint64(1)] = uppers + (spikes >> joint)
        events[count + np.uint64(2)] = END
        count += np.uint64(3)


@plain
def ended(zero_row: Any, begin: Any, events: Any, count: Any) -> Any:
    """Ends a column whose events began at `begin`: a row of zeros makes their number even."""
    events[count] = zero_row
    count += (count - begin) & np.uint64(1)
    events[count] = END
    return count + np.uint64(1)


@plain
def list_pooled_row(op: Any, row: Any, tables: Any, bits: Any, events: Any) -> None:
    """As `list_row`, where the convolution reads sums over pool windows of spikes: a spike counts
    for its window, so that the sums themselves are never written."""
    count = np.uint64(0)
    wide, zero_row = op.channels > 32, np.uint16(op.kernel_rows * op.channels)
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    for slot in range(op.out_columns + 2):
        begin = count
        column = slot - op.left
        if 0 <= column < op.columns:
            left = tables[op.other_table + 2 * column]
            right = tables[op.other_table + 2 * column + 1]
            for tap in range(top, bottom):
                pool = op.table + 2 * (row + tap - op.top)
                for y in range(tables[pool], tables[pool + 1]):
                    for x in range(left, right):
                        at = op.source + (y * op.pooled + x) * op.words
                        for word in range(op.words):
                            mask = bits[np.uint64(at + word)]
                            first = tap * op.channels + word * 64
                            count = list_bits(mask, wide, first, events, count)
        count = ended(zero_row, begin, events, count)


@plain
def slide(
    op: Any, row: Any, channel: Any, rows: Any, weights: Any, state: Any, bits: Any, counts: Any,
    estimates: Any, events: Any, nothing: Any, none: Any, most: Any,
) -> Any:  # fmt: skip
    """One output row for the output channels from `channel` on, as many as `none` has lanes.

    Gives the largest |V + current| so far.
    """
    first, second, third = nothing, nothing, nothing
    highest = none
    unit, threshold = weights[op.unit], op.threshold
    bias = load(weights, np.uint64(op.bias + channel), none)
    width = np.uint64(op.out_width)
    span = np.uint64(3 * op.out_width)
    base = np.uint64(op.weight + channel)
    place = np.uint64(row * op.out_columns * op.out_width + channel)
    word = np.uint64(op.target + row * op.out_columns * op.out_words + (channel >> 6))
    shift = np.uint64(channel & 63)
    fires, zeroes, signed, long = op.fires, op.zeroes, op.signed, op.long
    sent, negative = np.uint64(op.sent), np.uint64(op.out_negative)
    potential, target, words = (
        np.uint64(op.potential),
        np.uint64(op.target),
        np.uint64(op.out_words),
    )
    event = np.uint64(0)
    for slot in range(op.out_columns + 2):
        row_of_weights = events[event]
        while row_of_weights != END:
            at = base + np.uint64(row_of_weights) * span
            to = base + np.uint64(events[event + np.uint64(1)]) * span
            first = add_pair(first, rows, at, to)
            second = add_pair(second, rows, at + width, to + width)
            third = add_pair(third, rows, at + width + width, to + width + width)
            event += np.uint64(2)
            row_of_weights = events[event]
        event += np.uint64(1)
        if slot >= 2:
            current = currents(third, unit, bias)
            if fires:
                charged = add(load(state, potential + place, none), current)
                highest = larger(magnitude(charged), highest)
                spikes = at_least(charged, threshold)
                if signed:
                    at = sent + place
                    back = take_back(long, counts, estimates, at, charged, spikes)
                    left = both_ways(charged, threshold, spikes, back)
                    store(state, potential + place, left)
                    put_bits(bits, word + negative, shift, back)
                elif zeroes:
                    store(state, potential + place, zero_where(charged, spikes))
                else:
                    store(state, potential + place, minus_where(charged, threshold, spikes))
                put_bits(bits, word, shift, spikes)
                word += words
            else:
                store(state, target + place, current)
            place += width
        third = second
        second = first
        first = nothing
    return larger(fold(highest), most)
