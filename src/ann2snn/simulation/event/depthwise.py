"""Convolution of spikes in which each channel sees itself alone (depthwise), on vectors:
the spikes are the bits that say which lanes a weight is added to."""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import (
    add_lanes,
    fold,
    larger,
    largest_lane,
    take_lanes,
)
from ann2snn.simulation.event.neurons import receive
from ann2snn.simulation.event.vector import load, plain, store, zeros


@plain
def convolve_channels(
    op: Any, weights: Any, values: Any, state: Any, bits: Any, counts: Any, largest: Any,
    ahead: Any,
) -> None:  # fmt: skip
    """All output pixels for `ahead` steps; weights lie as (kernel row, kernel column, channel)."""
    most = zeros(state, 16)
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            for channel in range(0, op.out_width, 16):
                most = weigh_bits_of(
                    op, row, column, channel, weights, values, state, bits, counts,
                    ahead, zeros(state, 16), most,
                )  # fmt: skip
    if op.fires:
        largest[op.mark] = max(largest[op.mark], largest_lane(most))


@plain
def weigh_bits_of(
    op: Any, row: Any, column: Any, channel: Any, weights: Any, values: Any, state: Any, bits: Any,
    counts: Any, ahead: Any, none: Any, most: Any,
) -> Any:  # fmt: skip
    """One output pixel, all steps, for as many channels, from `channel` on, as `none` has lanes;
    gives the largest |V + current| so far."""
    top, left = row * op.stride_rows - op.top, column * op.stride_columns - op.left
    pixel = row * op.out_columns + column
    bias = load(weights, np.uint64(op.bias + channel), none)
    # fields stand in variables: after each store they would be read again
    rows, columns, words, width = op.rows, op.columns, op.words, np.uint64(op.out_width)
    kernel_rows, kernel_columns, fires = op.kernel_rows, op.kernel_columns, op.fires
    gap_rows, gap_columns = op.dilation_rows, op.dilation_columns
    source, shift = op.source + (channel >> 6), np.uint64(channel & 63)
    negative, first = np.uint64(op.negative), np.uint64(op.weight + channel)
    second = np.uint64(op.second)
    target = np.uint64(op.target + pixel * op.out_width + channel)
    highest = none
    for step in range(ahead):
        total = bias
        spikes = bits[step]
        for tap_row in range(kernel_rows):
            y = top + tap_row * gap_rows
            if y < 0 or y >= rows:
                continue
            for tap in range(kernel_columns):
                x = left + tap * gap_columns
                if x < 0 or x >= columns:
                    continue
                at = np.uint64(source + (y * columns + x) * words)
                weight = load(
                    weights, first + np.uint64(tap_row * kernel_columns + tap) * width, none
                )
                total = add_lanes(total, weight, spikes[at] >> shift)
                if negative:
                    total = take_lanes(total, weight, spikes[at + negative] >> shift)
                if second:
                    total = add_lanes(total, weight, spikes[at + second] >> shift)
        if fires:
            highest = receive(op, state, spikes, counts, total, pixel, channel, highest)
        else:
            store(values[step], target, total)
    return larger(fold(highest), most)
