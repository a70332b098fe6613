"""Convolution of spikes of any size, stride and dilation as a gather, one output pixel at a time.

The spikes that an output pixel sees are listed once for each step of the tile; then the weight rows
of each group of output channels sum up in registers, step after step, and the neurons take the sum
and fire. The kernel that slides over a row (`convolution`) lists each spike a third as often.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import add, fold, larger, largest_lane
from ann2snn.simulation.event.bit_lists import list_bits
from ann2snn.simulation.event.neurons import receive
from ann2snn.simulation.event.row_lists import END
from ann2snn.simulation.event.sums import add_pair, currents, widest_sums, zero_sums
from ann2snn.simulation.event.vector import FIRST, lanes_of, load, plain, store, zeros, zeros_like

FOURS = np.uint64(3)


@plain
def convolve_pixels(
    op: Any, rows: Any, weights: Any, values: Any, state: Any, bits: Any, counts: Any,
    largest: Any, events: Any, ahead: Any,
) -> None:  # fmt: skip
    """All output pixels for `ahead` steps; `rows` are the weights, as `convolution` has them, with
    a row for each (kernel row, kernel column, input channel). Code for two widths alone compiles
    sooner."""
    most = zeros(state, 16)
    widest = widest_sums(rows)
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            for step in range(ahead):
                list_window(op, row, column, bits[step], events[step])
            pixel = row * op.out_columns + column
            channel = FIRST
            while channel < op.out_width:
                if op.out_width - channel >= lanes_of(widest):
                    most = sum_window(
                        op, pixel, channel, rows, weights, values, state, bits, counts,
                        events, ahead, widest, zeros_like(widest, state), most,
                    )  # fmt: skip
                    channel += lanes_of(widest)
                else:
                    most = sum_window(
                        op, pixel, channel, rows, weights, values, state, bits, counts,
                        events, ahead, zero_sums(rows, 16), zeros(state, 16), most,
                    )  # fmt: skip
                    channel += 16
    if op.fires:
        largest[op.mark] = max(largest[op.mark], largest_lane(most))


@plain
def list_window(op: Any, row: Any, column: Any, bits: Any, events: Any) -> None:
    """Lists the weight rows of all spikes that an output pixel sees, with rows of zeros behind them
    that make their number a multiple of four, and `END`."""
    count = np.uint64(0)
    # fields stand in variables: after each store into a list they would be read again
    source, rows, columns, words, channels = (
        op.source, op.rows, op.columns, op.words, op.channels,
    )  # fmt: skip
    kernel_columns, gap, negative = op.kernel_columns, op.dilation_columns, op.negative
    second = op.second
    wide, zero_row = channels > 32, op.zero_row
    top, left = row * op.stride_rows - op.top, column * op.stride_columns - op.left
    gap_rows = op.dilation_rows
    for tap_row in range(op.kernel_rows):
        y = top + tap_row * gap_rows
        if y < 0 or y >= rows:
            continue
        for tap in range(kernel_columns):
            x = left + tap * gap
            if x < 0 or x >= columns:
                continue
            at = np.uint64(source + (y * columns + x) * words)
            first = (tap_row * kernel_columns + tap) * channels
            for word in range(words):
                place = at + np.uint64(word)
                count = list_bits(bits[place], wide, first + word * 64, events, count)
                if negative:
                    mask = bits[place + np.uint64(negative)]
                    if mask != 0:  # the negated rows stand behind the zeros
                        base = zero_row + 1 + first + word * 64
                        count = list_bits(mask, wide, base, events, count)
                if second:
                    mask = bits[place + np.uint64(second)]
                    count = list_bits(mask, wide, first + word * 64, events, count)
    for each in range(3):
        events[count + np.uint64(each)] = zero_row
    count = (count + FOURS) & ~FOURS
    events[count] = END


@plain
def sum_window(
    op: Any, pixel: Any, channel: Any, rows: Any, weights: Any, values: Any, state: Any, bits: Any,
    counts: Any, events: Any, ahead: Any, nothing: Any, none: Any, most: Any,
) -> Any:  # fmt: skip
    """One output pixel, all steps, for as many output channels, from `channel` on, as `none` has
    lanes; gives the largest |V + current| so far. Two sums at once, since an addition takes longer
    than loading what is added."""
    unit, fires = weights[op.unit], op.fires
    bias = load(weights, np.uint64(op.bias + channel), none)
    width = np.uint64(op.out_width)
    base = np.uint64(op.weight + channel)
    target = np.uint64(op.target + pixel * op.out_width + channel)
    highest = none
    for step in range(ahead):
        total, other = nothing, nothing
        listed = events[step]
        event = np.uint64(0)
        row = listed[event]
        while row != END:
            one = base + np.uint64(row) * width
            two = base + np.uint64(listed[event + np.uint64(1)]) * width
            three = base + np.uint64(listed[event + np.uint64(2)]) * width
            four = base + np.uint64(listed[event + np.uint64(3)]) * width
            total = add_pair(total, rows, one, two)
            other = add_pair(other, rows, three, four)
            event += np.uint64(4)
            row = listed[event]
        current = currents(add(total, other), unit, bias)
        if fires:
            highest = receive(op, state, bits[step], counts, current, pixel, channel, highest)
        else:
            store(values[step], target, current)
    return larger(fold(highest), most)
