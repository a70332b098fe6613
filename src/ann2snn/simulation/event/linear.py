"""Fully connected layers: the sum of the weight rows of the inputs that spiked.

A row holds one input's weights to all outputs, contiguous. The sums of 128 outputs at a time stand
in registers while the rows pass; rows of the whole layer are larger than a core's cache, so each
weight is read once a step and only for inputs that spiked.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.masks import lowest_bit
from ann2snn.simulation.event.sums import add_pair, currents, take_pair, zero_sums
from ann2snn.simulation.event.vector import FIRST, load, plain, store, zeros


@plain
def sum_rows(
    op: Any, rows: Any, weights: Any, tables: Any, values: Any, bits: Any, places: Any, ahead: Any
) -> None:
    """Currents of a layer whose inputs are bits, for `ahead` steps; values to op.target.

    The steps of a part of the outputs follow one another, so that its weights, where they fit the
    core's cache, come into it once.
    """
    ends = places[ahead]
    for step in range(ahead):
        list_rows(op, tables, bits[step], places[step], ends, 2 * step)
    channel = FIRST
    while channel < op.out_width:
        if op.out_width - channel >= 128:
            for step in range(ahead):
                sum_part(op, channel, ends, 2 * step, rows, weights, values[step], places[step],
                         zero_sums(rows, 128), zeros(values, 128))  # fmt: skip
            channel += 128
        else:
            for step in range(ahead):
                sum_part(op, channel, ends, 2 * step, rows, weights, values[step], places[step],
                         zero_sums(rows, 16), zeros(values, 16))  # fmt: skip
            channel += 16


@plain
def list_rows(op: Any, tables: Any, bits: Any, places: Any, ends: Any, end: Any) -> None:
    """Lists the places of the weight rows of all spikes, those of negative ones behind the others;
    the first list ends at ends[end], both at ends[end + 1]."""
    count = list_plane(op, tables, bits, op.source, places, FIRST)
    if op.second:
        count = list_plane(op, tables, bits, op.source + op.second, places, count)
    count = made_even(op, places, count)
    ends[end] = count
    if op.negative:
        count = list_plane(op, tables, bits, op.source + op.negative, places, count)
        count = made_even(op, places, count)
    ends[end + 1] = count


@plain
def list_plane(op: Any, tables: Any, bits: Any, source: Any, places: Any, count: Any) -> Any:
    """Appends the places of the weight rows of the spikes at `source`; the new count.

    The weight rows of a pixel's channels begin at the row that `tables` names at op.table; a row
    below 0 says that nothing reads the pixel.
    """
    for pixel in range(op.rows * op.columns):
        first = tables[op.table + pixel]
        if first < 0:
            continue
        for word in range(op.words):
            mask = bits[source + pixel * op.words + word]
            count = list_mask(op, mask, first + word * 64, places, count)
    return count


@plain
def made_even(op: Any, places: Any, count: Any) -> Any:
    """Rows are taken in pairs: one of zeros fills an odd number up."""
    places[count] = np.uint64(op.weight + op.zero_row * op.out_width)
    return count + (count & 1)


@plain
def list_mask(op: Any, mask: Any, first: Any, places: Any, count: Any) -> Any:
    """Appends the place of the weight row `first` + i for each bit i of a mask; the new count."""
    while mask != 0:
        row = first + np.int64(lowest_bit(mask))
        places[count] = np.uint64(op.weight + row * op.out_width)
        mask &= mask - np.uint64(1)
        count += 1
    return count


@plain
def sum_part(
    op: Any, channel: Any, ends: Any, end: Any, rows: Any, weights: Any, values: Any, places: Any,
    total: Any, like: Any,
) -> None:  # fmt: skip
    """The outputs from `channel` on, as many as `total` has lanes."""
    offset, first = np.uint64(channel), np.int64(ends[end])
    for event in range(0, first, 2):
        one, other = places[np.uint64(event)], places[np.uint64(event + 1)]
        total = add_pair(total, rows, one + offset, other + offset)
    for event in range(first, np.int64(ends[end + 1]), 2):
        one, other = places[np.uint64(event)], places[np.uint64(event + 1)]
        total = take_pair(total, rows, one + offset, other + offset)
    bias = load(weights, np.uint64(op.bias) + offset, like)
    store(values, np.uint64(op.target) + offset, currents(total, weights[op.unit], bias))
