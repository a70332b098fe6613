"""Fully connected layers: the sum of the weight rows of the inputs that spiked.

A row holds one input's weights to all outputs, contiguous. The sums of 128 outputs at a time stand
in registers while the rows pass; rows of the whole layer are larger than a core's cache, so each
weight is read once a step and only for inputs that spiked.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.bit_lists import list_bits
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
    """Lists the weight rows of all spikes, those of negative ones behind the others; the first list
    ends at ends[end], both at ends[end + 1]. Rows are taken in pairs: one of zeros fills an odd
    number up."""
    count = list_plane(op, tables, bits, op.source, places, np.uint64(0))
    if op.second:
        count = list_plane(op, tables, bits, op.source + op.second, places, count)
    places[count] = op.zero_row
    count += count & np.uint64(1)
    ends[end] = count
    if op.negative:
        count = list_plane(op, tables, bits, op.source + op.negative, places, count)
        places[count] = op.zero_row
        count += count & np.uint64(1)
    ends[end + 1] = count


@plain
def list_plane(op: Any, tables: Any, bits: Any, source: Any, places: Any, count: Any) -> Any:
    """Appends the weight rows of the spikes at `source`; the new count.

    Those of a pixel's channels begin at the row that `tables` names at op.table; a row below 0 says
    that nothing reads the pixel.
    """
    table, words, wide = op.table, op.words, op.channels > 32
    for pixel in range(op.rows * op.columns):
        first = tables[table + pixel]
        if first < 0:
            continue
        for word in range(words):
            mask = bits[np.uint64(source + pixel * words + word)]
            count = list_bits(mask, wide, first + word * 64, places, count)
    return count


@plain
def sum_part(
    op: Any, channel: Any, ends: Any, end: Any, rows: Any, weights: Any, values: Any, places: Any,
    total: Any, like: Any,
) -> None:  # fmt: skip
    """The outputs from `channel` on, as many as `total` has lanes."""
    offset, base, width = (
        np.uint64(channel),
        np.uint64(op.weight + channel),
        np.uint64(op.out_width),
    )
    first, last = np.int64(ends[end]), np.int64(ends[end + 1])
    for event in range(0, first, 2):
        one, other = places[np.uint64(event)], places[np.uint64(event + 1)]
        total = add_pair(total, rows, base + one * width, base + other * width)
    for event in range(first, last, 2):
        one, other = places[np.uint64(event)], places[np.uint64(event + 1)]
        total = take_pair(total, rows, base + one * width, base + other * width)
    bias = load(weights, np.uint64(op.bias) + offset, like)
    store(values, np.uint64(op.target) + offset, currents(total, weights[op.unit], bias))
