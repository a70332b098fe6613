"""Convolution of spikes, three columns wide and with stride 1, as a gather, firing as it goes.

An output row sees a few input rows. Their spikes are listed column by column, once for the row; then
a window of three output columns slides over the list. The sums of the three stand in registers: a
spike in input column x adds one row of weights (contiguous over output channels) to each of the
output columns x + left, x + left - 1 and x + left - 2. When x passes, the last of the three is
complete: its neurons take the sum and fire without it ever being written.

The other way, scatter (each spike adds to nine places in memory), is bound by loads and stores of
the sums: measured half as fast.
"""

import numpy as np

from ann2snn.simulation.kernels.bits import list_bits
from ann2snn.simulation.kernels.vector import (
    add,
    at_least_one,
    larger,
    largest_lane,
    load,
    magnitude,
    minus_one_where,
    plain,
    store,
    zero_where,
    zeros,
)


@plain
def convolve_rows(op, weights, state, bits, largest, events, ends):
    """All output rows, in groups of as many output channels as registers take."""
    for row in range(op.out_rows):
        list_row(op, row, bits, events, ends)
        channel = 0
        while channel < op.out_width:
            if op.out_width - channel >= 64:
                slide(op, row, channel, weights, state, bits, largest, events, ends, zeros(state, 64))
                channel += 64
            elif op.out_width - channel >= 32:
                slide(op, row, channel, weights, state, bits, largest, events, ends, zeros(state, 32))
                channel += 32
            else:
                slide(op, row, channel, weights, state, bits, largest, events, ends, zeros(state, 16))
                channel += 16


@plain
def list_row(op, row, bits, events, ends):
    """Lists the spikes that an output row sees; ends[i] is where those of input column i - left end.

    A spike of channel c in kernel row k is listed as k * channels + c, its row of weights.
    """
    count = np.uint64(0)
    for slot in range(op.out_columns + 2):
        column = slot - op.left
        if 0 <= column < op.columns:
            for kernel_row in range(op.kernel_rows):
                line = row + kernel_row - op.top
                if 0 <= line < op.rows:
                    at = op.source + (line * op.columns + column) * op.words
                    for word in range(op.words):
                        first = kernel_row * op.channels + word * 64
                        count = list_bits(bits[np.uint64(at + word)], first, events, count)
        ends[slot] = count


@plain
def slide(op, row, channel, weights, state, bits, largest, events, ends, none):
    """One output row for the output channels from `channel` on, as many as `none` has lanes."""
    first, second, third = none, none, none
    bias = load(weights, np.uint64(op.bias + channel), none)
    most, most_step = none, none
    width = np.uint64(op.out_width)
    span = np.uint64(3 * op.out_width)
    base = np.uint64(op.weight + channel)
    event = np.uint64(0)
    for slot in range(op.out_columns + 2):
        end = ends[np.uint64(slot)]
        while event < end:
            at = base + np.uint64(events[event]) * span
            first = add(first, load(weights, at, none))
            second = add(second, load(weights, at + width, none))
            third = add(third, load(weights, at + width + width, none))
            event += np.uint64(1)
        if slot >= 2:
            current = add(third, bias)
            pixel = row * op.out_columns + slot - 2
            place = np.uint64(pixel * op.out_width + channel)
            if op.fires:
                at = np.uint64(op.potential) + place
                charged = add(load(state, at, none), current)
                most = larger(magnitude(charged), most)
                most_step = larger(magnitude(current), most_step)
                spikes = at_least_one(charged)
                if op.zeroes:
                    store(state, at, zero_where(charged, spikes))
                else:
                    store(state, at, minus_one_where(charged, spikes))
                word = np.uint64(op.target + pixel * op.out_words + (channel >> 6))
                shift = np.uint64(channel & 63)
                if shift == 0:
                    bits[word] = spikes
                else:
                    bits[word] |= spikes << shift
            else:
                store(state, np.uint64(op.target) + place, current)
        third = second
        second = first
        first = none
    if op.fires:
        largest[op.mark, 0] = max(largest[op.mark, 0], largest_lane(most))
        largest[op.mark, 1] = max(largest[op.mark, 1], largest_lane(most_step))
