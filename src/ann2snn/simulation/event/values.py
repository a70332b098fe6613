"""Kernels for signals of values: their convolutions, scales and sums, on vectors of channels."""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import add, filled, minus_where, nonzero, times
from ann2snn.simulation.event.masks import count_bits
from ann2snn.simulation.event.vector import FIRST, load, plain, store, zeros


@plain
def convolve_values(op: Any, weights: Any, values: Any, ahead: Any) -> None:
    """Any convolution without groups for `ahead` steps, by weights that lie as (kernel row, kernel
    column, input channel, output channel). Where most values are 0, each other one adds its
    weights; else sums are taken four at a time, so that each weight is loaded once for four."""
    full = is_mostly_nonzero(op, values, ahead)
    wide = op.out_width >> 5 << 5 if full else 0
    for lane in range(0, wide, 32):
        weigh_all(op, lane, weights, values, ahead)
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            channel = np.int64(wide)
            while channel < op.out_width:
                if op.out_width - channel >= 32:
                    weigh_values(op, row, column, channel, weights, values, FIRST, ahead,
                                 zeros(values, 32))  # fmt: skip
                    channel += 32
                else:
                    weigh_values(op, row, column, channel, weights, values, FIRST, ahead,
                                 zeros(values, 16))  # fmt: skip
                    channel += 16


@plain
def weigh_all(op: Any, channel: Any, weights: Any, values: Any, ahead: Any) -> None:
    """32 output channels, from `channel` on, of all pixels and steps: of four pixels at once where
    an output reads the pixel at its own place alone, and of four steps for those left over."""
    pixels, columns = op.out_rows * op.out_columns, op.out_columns
    fours = ahead >> 2 << 2
    own = op.kernel_rows == op.kernel_columns == op.stride_rows == op.stride_columns == 1
    together = pixels >> 2 << 2 if own and pixels == op.rows * op.columns else 0
    none = zeros(values, 32)
    for step in range(ahead):
        signal = values[step]
        for pixel in range(0, together, 4):
            weigh_four(op, pixel, channel, weights, signal, signal, signal, signal, 1 + FIRST,
                       none)  # fmt: skip
    for pixel in range(together, pixels):
        for step in range(0, fours, 4):
            weigh_four(op, pixel, channel, weights, values[step], values[step + 1],
                       values[step + 2], values[step + 3], FIRST, none)  # fmt: skip
        row, column = pixel // columns, pixel % columns
        weigh_values(op, row, column, channel, weights, values, fours, ahead, none)


@plain
def is_mostly_nonzero(op: Any, values: Any, ahead: Any) -> Any:
    """Whether most of the values that the operation reads in `ahead` steps are not 0."""
    found = np.uint64(0)
    for step in range(ahead):
        for each in range(0, op.rows * op.columns * op.width, 16):
            found += nonzero_values(values[step], op.source + each)
    return 2 * np.int64(found) > op.rows * op.columns * op.channels * ahead


@plain
def nonzero_values(signal: Any, place: Any) -> Any:
    """How many of the 16 values from `place` on are not 0."""
    return count_bits(nonzero(load(signal, np.uint64(place), zeros(signal, 16))))


@plain
def count_values(op: Any, signal: Any, tables: Any) -> Any:
    """Sum over nonzero values of their pixel's weight in `tables`."""
    total = np.int64(0)
    for pixel in range(op.rows * op.columns):
        found = np.uint64(0)
        for lane in range(0, op.width, 16):
            found += nonzero_values(signal, op.source + pixel * op.width + lane)
        total += np.int64(found) * tables[op.table + pixel]
    return total


@plain
def weigh_four(
    op: Any, pixel: Any, channel: Any, weights: Any, one: Any, two: Any, three: Any, four: Any,
    apart: Any, none: Any,
) -> None:  # fmt: skip
    """Four sums for as many output channels, from `channel` on, as `none` has lanes: in signal
    `one` of an output pixel, and in each of the others of the pixel that lies `apart` pixels behind
    the one before."""
    row, column = pixel // op.out_columns, pixel % op.out_columns
    top, left = row * op.stride_rows - op.top, column * op.stride_columns - op.left
    bias = load(weights, np.uint64(op.bias + channel), none)
    rows, columns, channels, width = op.rows, op.columns, op.channels, op.width
    kernel_columns, out_width = op.kernel_columns, np.uint64(op.out_width)
    gap = np.uint64(apart * width)
    first, second, third, fourth = bias, bias, bias, bias
    for tap_row in range(op.kernel_rows):
        y = top + tap_row * op.dilation_rows
        if y < 0 or y >= rows:
            continue
        for tap in range(kernel_columns):
            x = left + tap * op.dilation_columns
            if x < 0 or x >= columns:
                continue
            place = np.uint64(op.source + (y * columns + x) * width)
            row_of_weights = (tap_row * kernel_columns + tap) * channels
            weight = np.uint64(op.weight + channel) + np.uint64(row_of_weights) * out_width
            for _ in range(channels):
                row_of = load(weights, weight, none)
                first = add(first, times(row_of, filled(one[place], none)))
                second = add(second, times(row_of, filled(two[place + gap], none)))
                third = add(third, times(row_of, filled(three[place + gap + gap], none)))
                fourth = add(fourth, times(row_of, filled(four[place + gap + gap + gap], none)))
                place += np.uint64(1)
                weight += out_width
    target = np.uint64(op.target + pixel * op.out_width + channel)
    behind = np.uint64(apart) * out_width
    store(one, target, first)
    store(two, target + behind, second)
    store(three, target + behind + behind, third)
    store(four, target + behind + behind + behind, fourth)


@plain
def weigh_values(
    op: Any, row: Any, column: Any, channel: Any, weights: Any, values: Any, start: Any, stop: Any,
    none: Any,
) -> None:  # fmt: skip
    """One output pixel, steps from `start` to `stop`, for as many output channels, from `channel`
    on, as `none` has lanes."""
    top, left = row * op.stride_rows - op.top, column * op.stride_columns - op.left
    bias = load(weights, np.uint64(op.bias + channel), none)
    rows, columns, channels, width = op.rows, op.columns, op.channels, op.width
    kernel_columns, out_width = op.kernel_columns, np.uint64(op.out_width)
    target = np.uint64(op.target + (row * op.out_columns + column) * op.out_width + channel)
    for step in range(start, stop):
        total = bias
        signal = values[step]
        for tap_row in range(op.kernel_rows):
            y = top + tap_row * op.dilation_rows
            if y < 0 or y >= rows:
                continue
            for tap in range(kernel_columns):
                x = left + tap * op.dilation_columns
                if x < 0 or x >= columns:
                    continue
                place = np.uint64(op.source + (y * columns + x) * width)
                first = (tap_row * kernel_columns + tap) * channels
                weight = np.uint64(op.weight + channel) + np.uint64(first) * out_width
                for _ in range(channels):
                    value = signal[place]
                    if value != 0:
                        row_of = load(weights, weight, none)
                        total = add(total, times(row_of, filled(value, none)))
                    place += np.uint64(1)
                    weight += out_width
        store(signal, target, total)


@plain
def expand(op: Any, values: Any, bits: Any) -> None:
    """Spikes as values 0, 1, -1 and 2, in the unit of the signal."""
    none = zeros(values, 16)
    width, words, factor = op.width, op.words, op.factor
    source, target, negative = op.source, op.target, np.uint64(op.negative)
    second = np.uint64(op.second)
    for pixel in range(op.rows * op.columns):
        for lane in range(0, width, 16):
            word = np.uint64(source + pixel * words + (lane >> 6))
            shift = np.uint64(lane & 63)
            value = minus_where(none, -factor, bits[word] >> shift)
            if negative:
                value = minus_where(value, factor, bits[word + negative] >> shift)
            if second:
                value = minus_where(value, -factor, bits[word + second] >> shift)
            store(values, np.uint64(target + pixel * width + lane), value)


@plain
def scale_and_shift(op: Any, weights: Any, values: Any) -> None:
    """Gain and bias of every unit."""
    none = zeros(values, 16)
    source, target = np.uint64(op.source), np.uint64(op.target)
    gain, bias = np.uint64(op.weight), np.uint64(op.bias)
    for each in range(0, op.rows * op.columns * op.width, 16):
        place = np.uint64(each)
        scaled = times(load(values, source + place, none), load(weights, gain + place, none))
        store(values, target + place, add(scaled, load(weights, bias + place, none)))


@plain
def accumulate(op: Any, values: Any) -> None:
    """One summand of a sum: the first sets the target, others add to it."""
    none = zeros(values, 16)
    source, target, first = np.uint64(op.source), np.uint64(op.target), op.first
    factor = filled(op.factor, none)
    for each in range(0, op.rows * op.columns * op.width, 16):
        place = np.uint64(each)
        summand = times(load(values, source + place, none), factor)
        if not first:
            summand = add(load(values, target + place, none), summand)
        store(values, target + place, summand)
