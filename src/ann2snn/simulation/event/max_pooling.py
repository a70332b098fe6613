"""Max-pooling: which input's spikes a window hands on (the rules stand in `mechanisms.poolings`;
`rise` over spikes stands in `growth`).

Estimates are whole numbers, so ties are ties; the first in row-major order wins.
"""

from typing import Any

import numpy as np

from ann2snn.mechanisms import poolings
from ann2snn.mechanisms.poolings import DECAY_SHIFT, INVERSE_BITS
from ann2snn.simulation.event.arithmetic import above, add_bits, add_where, decayed, larger
from ann2snn.simulation.event.operations import POOLINGS
from ann2snn.simulation.event.vector import load, plain, store, zeros

INVERSE_TIME, EXPONENTIAL = POOLINGS["inverse_time"], POOLINGS["exponential"]
SPIKES = POOLINGS["spikes"]  # the fourth, the running mean, is told by the count alone
HALF = np.uint64(0xFFFFFFFF)
INCREMENT = np.uint64(poolings.INCREMENT)


@plain
def choose(op: Any, bits: Any, estimates: Any, tables: Any, step: Any) -> None:
    """Any pooling of spikes but `rise`; estimates of the inputs at op.estimate.

    All estimates fit 32 bits: counts do for 4 * 10^9 steps, the sum of 1/t in units of 2^-27 for
    10^13, and the exponential mean stays about 2^24. Where no two windows share an input
    (op.disjoint), estimates are brought up to the step as their window is looked at.
    """
    none = zeros(estimates, 32)
    # fields stand in variables: after each store they would be read again
    pooling, columns, words, disjoint = op.pooling, op.columns, op.words, op.disjoint
    source, estimate = op.source, op.estimate
    lanes = -(-op.channels // 32)
    stride = lanes * 32
    pixels = op.rows * columns
    share = np.uint64((1 << INVERSE_BITS) // step)
    if pooling != SPIKES and not disjoint:
        for pixel in range(pixels):
            for lane in range(lanes):
                spikes = half_word(bits, source + pixel * words, lane)
                at = np.uint64(estimate + pixel * stride + lane * 32)
                brought_up(pooling, estimates, at, spikes, share, none)
    for row in range(op.out_rows):
        top, bottom = tables[op.table + 2 * row], tables[op.table + 2 * row + 1]
        for column in range(op.out_columns):
            left = tables[op.other_table + 2 * column]
            right = tables[op.other_table + 2 * column + 1]
            pixel = row * op.out_columns + column
            usual = disjoint and pooling != SPIKES and bottom - top == 2 and right - left == 2
            for lane in range(lanes):
                if usual:
                    place = top * columns + left
                    at = np.uint64(estimate + place * stride + lane * 32)
                    next_row = at + np.uint64(columns * stride)
                    a = half_word(bits, source + place * words, lane)
                    b = half_word(bits, source + (place + 1) * words, lane)
                    place += columns
                    c = half_word(bits, source + place * words, lane)
                    d = half_word(bits, source + (place + 1) * words, lane)
                    of_a = brought_up(pooling, estimates, at, a, share, none)
                    of_b = brought_up(pooling, estimates, at + np.uint64(stride), b, share, none)
                    of_c = brought_up(pooling, estimates, next_row, c, share, none)
                    of_d = brought_up(
                        pooling, estimates, next_row + np.uint64(stride), d, share, none
                    )
                    upper = either(a, b, above(of_b, of_a))
                    lower = either(c, d, above(of_d, of_c))
                    best, rival = larger(of_a, of_b), larger(of_c, of_d)
                    passed = either(upper, lower, above(rival, best))
                    best = larger(best, rival)
                else:
                    best, passed, ahead = none, np.uint64(0), HALF
                    for y in range(top, bottom):
                        for x in range(left, right):
                            place = y * columns + x
                            spikes = half_word(bits, source + place * words, lane)
                            if pooling == SPIKES:
                                passed |= spikes
                                continue
                            at = np.uint64(estimate + place * stride + lane * 32)
                            if disjoint:
                                rival = brought_up(pooling, estimates, at, spikes, share, none)
                            else:
                                rival = load(estimates, at, none)
                            ahead |= above(rival, best)
                            passed = either(passed, spikes, ahead)
                            best = larger(best, rival)
                            ahead = np.uint64(0)
                put_half(bits, op.target + pixel * op.words, lane, passed)


@plain
def brought_up(pooling: Any, estimates: Any, at: Any, spikes: Any, share: Any, none: Any) -> Any:
    """Estimates of 32 channels after a step with these spikes; `share` is 1 / step."""
    before = load(estimates, at, none)
    if pooling == INVERSE_TIME:
        after = add_where(before, spikes, share)
    elif pooling == EXPONENTIAL:
        after = add_where(decayed(before, DECAY_SHIFT), spikes, INCREMENT)
    else:
        after = add_bits(before, spikes)
    store(estimates, at, after)
    return after


@plain
def either(one: Any, other: Any, chosen: Any) -> Any:
    """The bits of `other` where those of `chosen` are set, of `one` elsewhere."""
    return one ^ ((one ^ other) & chosen)


@plain
def put_half(bits: Any, place: Any, lane: Any, spikes: Any) -> None:
    """Writes what `half_word` reads, the lower channels of a word first."""
    word = np.uint64(place + (lane >> 1))
    if lane & 1:
        bits[word] |= spikes << np.uint64(32)
    else:
        bits[word] = spikes


@plain
def half_word(bits: Any, place: Any, lane: Any) -> Any:
    """The spikes of the 32 channels from 32 * lane on of the pixel whose words begin at `place`."""
    return (bits[np.uint64(place + (lane >> 1))] >> np.uint64(32 * (lane & 1))) & HALF


@plain
def growth_of_values(op: Any, values: Any, state: Any, tables: Any) -> None:
    """The pooling `rise` over currents: the growth of the largest sum in each window."""
    pixels = op.rows * op.columns
    for place in range(pixels * op.width):
        state[op.estimate + place] += values[op.source + place] * op.factor
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
                            most, first = state[op.estimate + place], False
                at = maxima + target + channel
                values[op.target + target + channel] = most - state[at]
                state[at] = most


@plain
def bit_of(bits: Any, place: Any, channel: Any) -> Any:
    """0 or 1: whether `channel` of the pixel at `place` spiked."""
    return (bits[place + (channel >> 6)] >> np.uint64(channel & 63)) & np.uint64(1)
