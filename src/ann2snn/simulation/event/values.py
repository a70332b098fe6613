"""Kernels for signals of values: their convolutions, scales and sums, on vectors of channels."""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import add, filled, minus_where, times
from ann2snn.simulation.event.vector import FIRST, load, plain, store, zeros


@plain
def convolve_values(op: Any, weights: Any, values: Any, ahead: Any) -> None:
    """Any convolution without groups for `ahead` steps: each value that is not 0 adds its weights,
    which lie as (kernel row, kernel column, input channel, output channel). A group of output
    channels takes all steps before the next one, so that its weights stay in the core's cache."""
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            channel = FIRST
            while channel < op.out_width:
                if op.out_width - channel >= 64:
                    weigh_values(op, row, column, channel, weights, values, ahead,
                                 zeros(values, 64))  # fmt: skip
                    channel += 64
                else:
                    weigh_values(op, row, column, channel, weights, values, ahead,
                                 zeros(values, 16))  # fmt: skip
                    channel += 16


@plain
def weigh_values(
    op: Any, row: Any, column: Any, channel: Any, weights: Any, values: Any, ahead: Any, none: Any
) -> None:
    """One output pixel, all steps, for as many output channels, from `channel` on, as `none` has
    lanes."""
    top, left = row * op.stride_rows - op.top, column * op.stride_columns - op.left
    bias = load(weights, np.uint64(op.bias + channel), none)
    rows, columns, channels, width = op.rows, op.columns, op.channels, op.width
    kernel_columns, out_width = op.kernel_columns, np.uint64(op.out_width)
    target = np.uint64(op.target + (row * op.out_columns + column) * op.out_width + channel)
    for step in range(ahead):
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
