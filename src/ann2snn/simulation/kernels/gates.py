"""Max-pooling by gates: which input's spikes a window hands on (the rules stand in `MaxPool`).

Estimates are whole numbers, so ties are ties; the first in row-major order wins. `rise` needs only
counts: the gate spikes when the largest count in its window grows. Up to 65,000 steps they fit 16
bits, 32 channels to a vector, which makes the exact gate the fastest too.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.kernels.operation import GATE_CODES
from ann2snn.simulation.kernels.vector import above, add_bits, larger, load, plain, store, zeros

CUMULATIVE, RUNNING = GATE_CODES["cumulative"], GATE_CODES["running_mean"]
EXPONENTIAL, SPIKES, RISE = GATE_CODES["exponential"], GATE_CODES["spikes"], GATE_CODES["rise"]
INVERSE_BITS = 27
DECAY_SHIFT = 4
INCREMENT = 1 << 20


@plain
def rise(op: Any, bits: Any, counts: Any, tables: Any) -> None:
    """The gate `rise` over spikes; counts of the inputs at op.estimate, then the largest ones.

    Where no two windows share an input (op.first), counts grow as their window is looked at.
    """
    none = zeros(counts, 32)
    lanes = -(-op.channels // 32)
    stride = lanes * 32
    if not op.first:
        for pixel in range(op.rows * op.columns):
            for lane in range(lanes):
                grown(op, bits, counts, pixel, lane, stride, none)
    maxima = op.estimate + op.rows * op.columns * stride
    for row in range(op.out_rows):
        top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
        for column in range(op.out_columns):
            left = tables[op.other_table + 2 * column]
            right = tables[op.other_table + 2 * column + 1]
            pixel = row * op.out_columns + column
            for lane in range(lanes):
                at = np.uint64(maxima + pixel * stride + lane * 32)
                before = load(counts, at, none)
                most = before
                for y in range(top, bottom):
                    for x in range(left, right):
                        place = y * op.columns + x
                        if op.first:
                            most = larger(grown(op, bits, counts, place, lane, stride, none), most)
                        else:
                            seen = np.uint64(op.estimate + place * stride + lane * 32)
                            most = larger(load(counts, seen, none), most)
                store(counts, at, most)
                passed = above(most, before)
                word = np.uint64(op.target + pixel * op.words + (lane >> 1))
                if lane & 1:
                    bits[word] |= passed << np.uint64(32)
                else:
                    bits[word] = passed


@plain
def grown(op: Any, bits: Any, counts: Any, pixel: Any, lane: Any, stride: Any, none: Any) -> Any:
    """The counts of 32 channels of an input pixel, its spikes of this step counted in."""
    word = bits[np.uint64(op.source + pixel * op.words + (lane >> 1))]
    at = np.uint64(op.estimate + pixel * stride + lane * 32)
    count = add_bits(load(counts, at, none), word >> np.uint64(32 * (lane & 1)))
    store(counts, at, count)
    return count


@plain
def choose(op: Any, bits: Any, estimates: Any, tables: Any, step: Any) -> None:
    """Any gate over spikes, channel by channel."""
    if op.gate != SPIKES:
        for pixel in range(op.rows * op.columns):
            for channel in range(op.channels):
                spike = np.int64(bit_of(bits, op.source + pixel * op.words, channel))
                at = op.estimate + pixel * op.channels + channel
                if op.gate == CUMULATIVE:
                    estimates[at] += spike * ((1 << INVERSE_BITS) // step)
                elif op.gate == EXPONENTIAL:
                    estimates[at] += spike * INCREMENT - (estimates[at] >> DECAY_SHIFT)
                else:
                    estimates[at] += spike
    maxima = op.estimate + op.rows * op.columns * op.channels
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            pixel = row * op.out_columns + column
            for word in range(op.words):
                passed = np.uint64(0)
                for channel in range(64 * word, min(64 * word + 64, op.channels)):
                    if passes(op, row, column, channel, bits, estimates, tables, maxima):
                        passed |= np.uint64(1) << np.uint64(channel & 63)
                bits[op.target + pixel * op.words + word] = passed


@plain
def passes(
    op: Any,
    row: Any,
    column: Any,
    channel: Any,
    bits: Any,
    estimates: Any,
    tables: Any,
    maxima: Any,
) -> Any:
    """Whether one window of one channel hands on a spike."""
    best = np.int64(-1)
    winner = np.uint64(0)
    anyone = np.uint64(0)
    for y in range(tables[op.table + 2 * row], tables[op.table + 2 * row + 1]):
        for x in range(
            tables[op.other_table + 2 * column], tables[op.other_table + 2 * column + 1]
        ):
            pixel = y * op.columns + x
            spike = bit_of(bits, op.source + pixel * op.words, channel)
            anyone |= spike
            if op.gate != SPIKES:
                estimate = estimates[op.estimate + pixel * op.channels + channel]
                if estimate > best:
                    best = estimate
                    winner = spike
    if op.gate == SPIKES:
        return anyone != 0
    if op.gate == RISE:
        at = maxima + (row * op.out_columns + column) * op.channels + channel
        rises = best > estimates[at]
        estimates[at] = best
        return rises
    return winner != 0


@plain
def rise_of_values(op: Any, state: Any, tables: Any) -> None:
    """The gate `rise` over currents: the growth of the largest sum in each window."""
    pixels = op.rows * op.columns
    for place in range(pixels * op.width):
        state[op.estimate + place] += state[op.source + place]
    maxima = op.estimate + pixels * op.width
    for row in range(op.out_rows):
        for column in range(op.out_columns):
            first = True
            target = (row * op.out_columns + column) * op.width
            for channel in range(op.channels):
                most = state[op.estimate]
                first = True
                for y in range(tables[op.table + 2 * row], tables[op.table + 2 * row + 1]):
                    for x in range(
                        tables[op.other_table + 2 * column],
                        tables[op.other_table + 2 * column + 1],
                    ):
                        place = (y * op.columns + x) * op.width + channel
                        if first or state[op.estimate + place] > most:
                            most = state[op.estimate + place]
                            first = False
                at = maxima + target + channel
                state[op.target + target + channel] = most - state[at]
                state[at] = most


@plain
def bit_of(bits: Any, place: Any, channel: Any) -> Any:
    """0 or 1: whether `channel` of the pixel at `place` spiked."""
    return (bits[place + (channel >> 6)] >> np.uint64(channel & 63)) & np.uint64(1)
