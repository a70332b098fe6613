"""Kernels for every shape that the fast ones do not take: one event after another, no tricks."""

from typing import Any

import numpy as np

from ann2snn.simulation.event.masks import count_bits
from ann2snn.simulation.event.max_pooling import bit_of
from ann2snn.simulation.event.vector import plain


@plain
def spread(op: Any, values: Any) -> None:
    """A signal that is the same at all steps, from the first row into every other."""
    for step in range(1, values.shape[0]):
        for place in range(op.rows * op.columns * op.width):
            values[step, op.source + place] = values[0, op.source + place]


@plain
def spike_of(op: Any, bits: Any, place: Any, channel: Any) -> Any:
    """0, 1, -1 or 2: the spikes of `channel` of the pixel at `place` of the signal."""
    spike = np.int64(bit_of(bits, op.source + place, channel))
    if op.negative:
        spike -= np.int64(bit_of(bits, op.source + op.negative + place, channel))
    if op.second:
        spike += np.int64(bit_of(bits, op.source + op.second + place, channel))
    return spike


@plain
def convolve(op: Any, weights: Any, values: Any) -> None:
    """Any convolution: each nonzero input adds its weights to the outputs that see it.

    Weights lie as (input channel, kernel row, kernel column, output channel of its group).
    """
    filters = op.out_channels // op.groups
    group_size = op.channels // op.groups
    for pixel in range(op.out_rows * op.out_columns):
        for channel in range(op.out_width):
            values[op.target + pixel * op.out_width + channel] = weights[op.bias + channel]
    for row in range(op.rows):
        for column in range(op.columns):
            for channel in range(op.channels):
                place = (row * op.columns + column) * op.width + channel
                value = values[op.source + place]
                if value == 0:
                    continue
                shift = (channel // group_size) * filters
                for tap_row in range(op.kernel_rows):
                    y = row + op.top - tap_row * op.dilation_rows
                    if y < 0 or y % op.stride_rows or y // op.stride_rows >= op.out_rows:
                        continue
                    for tap in range(op.kernel_columns):
                        x = column + op.left - tap * op.dilation_columns
                        if x < 0 or x % op.stride_columns:
                            continue
                        if x // op.stride_columns >= op.out_columns:
                            continue
                        seen = y // op.stride_rows * op.out_columns + x // op.stride_columns
                        at = op.target + seen * op.out_width + shift
                        tap_at = (channel * op.kernel_rows + tap_row) * op.kernel_columns + tap
                        weight = op.weight + tap_at * filters
                        for each in range(filters):
                            values[at + each] += value * weights[weight + each]


@plain
def sum_windows(op: Any, values: Any, tables: Any) -> None:
    """Sums over pool windows."""
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            target = op.target + (row * op.out_columns + column) * op.out_width
            for channel in range(op.out_width):
                values[target + channel] = 0
            for y in range(tables[op.table + 2 * row], tables[op.table + 2 * row + 1]):
                for x in range(
                    tables[op.other_table + 2 * column], tables[op.other_table + 2 * column + 1]
                ):
                    source = op.source + (y * op.columns + x) * op.width
                    for channel in range(op.channels):
                        values[target + channel] += values[source + channel] * op.factor


@plain
def move_values(op: Any, values: Any, tables: Any) -> None:
    """Values to other places of their pixel (concatenation, selection), or of the image where the
    operation takes it for one pixel (another shape)."""
    for pixel in range(op.rows * op.columns):
        source, target = op.source + pixel * op.width, op.target + pixel * op.out_width
        for each in range(op.channels):
            value = values[source + tables[op.table + each]]
            values[target + tables[op.other_table + each]] = value * op.factor


@plain
def move_bits(op: Any, bits: Any, tables: Any) -> None:
    """Spikes to other places, as `move_values`, by a mask of the moved ones for each word of a
    pixel, and a place for each bit; the first of the operations on one target clears it."""
    if op.first:
        for word in range(op.out_rows * op.out_columns * op.out_words):
            bits[op.target + word] = 0
            bits[op.target + op.out_negative + word] = 0
            bits[op.target + op.out_second + word] = 0
    for pixel in range(op.rows * op.columns):
        target = op.target + pixel * op.out_words
        for word in range(op.words):
            place, to = op.source + pixel * op.words + word, op.other_table + 64 * word
            moved = np.uint64(tables[op.table + word])
            put_bits(bits, bits[place] & moved, target, tables, to)
            if op.negative:
                behind = bits[place + op.negative] & moved
                put_bits(bits, behind, target + op.out_negative, tables, to)
            if op.second:
                behind = bits[place + op.second] & moved
                put_bits(bits, behind, target + op.out_second, tables, to)


@plain
def put_bits(bits: Any, mask: Any, target: Any, tables: Any, table: Any) -> None:
    """For each bit i of `mask` sets the bit that `tables` names at `table` + i, behind `target`."""
    while mask != np.uint64(0):
        rest = mask & (mask - np.uint64(1))
        to = tables[table + np.int64(count_bits((mask ^ rest) - np.uint64(1)))]
        bits[target + (to >> 6)] |= np.uint64(1) << np.uint64(to & 63)
        mask = rest


@plain
def count_units(op: Any, bits: Any, units: Any) -> None:
    """Adds each unit's spike to its own count; units in (channel, row, column) order."""
    pixels = op.rows * op.columns
    for pixel in range(pixels):
        for channel in range(op.channels):
            units[op.target + channel * pixels + pixel] += spike_of(
                op, bits, pixel * op.words, channel
            )


@plain
def record(op: Any, bits: Any, tables: Any, trains: Any, step: Any) -> None:
    """Spikes of the units whose places stand in `tables`."""
    for unit in range(op.channels):
        trains[step, op.target + unit] = spike_of(op, bits, 0, tables[op.table + unit])
