"""Fully connected layers: the sum of the weight rows of the inputs that spiked.

A row holds one input's weights to all outputs, contiguous. The sums of 128 outputs at a time stand
in registers while the rows pass; rows of the whole layer are larger than a core's cache, so each
weight is read once a step and only for inputs that spiked.
"""

import numpy as np

from ann2snn.simulation.kernels.vector import (
    add,
    count_bits,
    load,
    lowest_bit,
    plain,
    store,
    zeros,
)


@plain
def sum_rows(op, weights, state, bits, places):
    """Currents of a layer whose inputs are bits; values to op.target."""
    count = 0
    for pixel in range(op.rows * op.columns):
        for word in range(op.words):
            mask = bits[op.source + pixel * op.words + word]
            first = pixel * op.channels + word * 64
            while mask != 0:
                row = first + np.int64(lowest_bit(mask))
                places[count] = np.uint64(op.weight + row * op.out_width)
                mask &= mask - np.uint64(1)
                count += 1
    channel = 0
    while channel < op.out_width:
        if op.out_width - channel >= 128:
            sum_part(op, channel, count, weights, state, places, zeros(state, 128))
            channel += 128
        else:
            sum_part(op, channel, count, weights, state, places, zeros(state, 16))
            channel += 16


@plain
def sum_part(op, channel, count, weights, state, places, none):
    """The outputs from `channel` on, as many as `none` has lanes."""
    offset = np.uint64(channel)
    total = load(weights, np.uint64(op.bias) + offset, none)
    for event in range(count):
        total = add(total, load(weights, places[np.uint64(event)] + offset, none))
    store(state, np.uint64(op.target) + offset, total)
