"""Convolution of spikes, three columns wide and with stride 1, as a gather, firing as it goes.

An output row sees a few input rows. Their spikes are listed column by column, once for the row;
then a window of three output columns slides over the list. The sums of the three stand in
registers: a spike in input column x adds one row of weights (contiguous over output channels) to
each of the output columns x + left, x + left - 1 and x + left - 2. When x passes, the last of the
three is complete: its neurons take the sum and fire without it ever being written.

The other way, scatter (each spike adds to nine places in memory), is bound by loads and stores of
the sums: measured half as fast.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import (
    add,
    at_least,
    fold,
    larger,
    largest_lane,
    magnitude,
    minus_where,
    zero_where,
)
from ann2snn.simulation.event.neurons import both_ways, put_bits, send_again, take_back
from ann2snn.simulation.event.row_lists import (
    END,
    LEAST,
    list_joint_row,
    list_pooled_row,
    list_row,
    list_signed_row,
)
from ann2snn.simulation.event.sums import add_pair, are_halved, currents, widest_sums, zero_sums
from ann2snn.simulation.event.vector import FIRST, lanes_of, load, plain, store, zeros, zeros_like


@plain
def convolve_rows(
    op: Any, rows: Any, weights: Any, tables: Any, values: Any, state: Any, bits: Any,
    counts: Any, largest: Any, events: Any, ahead: Any,
) -> None:  # fmt: skip
    """All output rows for `ahead` steps, in groups of as many output channels as registers take: a
    group's weights and potentials stay in the core's cache through the steps.

    `rows` are the weights: numbers as `weights` has them, or 16-bit whole numbers of a unit that
    stands in `weights` at op.unit, in the order that `add_pair` takes.
    """
    most = zeros(state, 16)
    widest = widest_sums(rows)
    for row in range(op.out_rows):
        for step in range(ahead):
            if op.joint:
                list_joint_row(op, row, bits[step], events[step])
            elif op.pooled:
                list_pooled_row(op, row, tables, bits[step], events[step])
            elif op.negative or op.second:
                list_signed_row(op, row, bits[step], events[step])
            else:
                list_row(op, row, bits[step], events[step])
        channel = FIRST
        while channel < op.out_width:
            rest = op.out_width - channel
            if rest >= lanes_of(widest):
                for step in range(ahead):
                    most = slide(
                        op, row, channel, rows, weights, values[step], state, bits[step], counts,
                        events[step], widest, zeros_like(widest, state), most,
                    )  # fmt: skip
                channel += lanes_of(widest)
            elif rest >= 32:
                for step in range(ahead):
                    most = slide(
                        op, row, channel, rows, weights, values[step], state, bits[step], counts,
                        events[step], zero_sums(rows, 32), zeros(state, 32), most,
                    )  # fmt: skip
                channel += 32
            else:
                for step in range(ahead):
                    most = slide(
                        op, row, channel, rows, weights, values[step], state, bits[step], counts,
                        events[step], zero_sums(rows, 16), zeros(state, 16), most,
                    )  # fmt: skip
                channel += 16
    if op.fires:
        largest[op.mark] = max(largest[op.mark], largest_lane(most))


@plain
def slide(
    op: Any, row: Any, channel: Any, rows: Any, weights: Any, values: Any, state: Any, bits: Any,
    counts: Any, events: Any, nothing: Any, none: Any, most: Any,
) -> Any:  # fmt: skip
    """One output row of one step for as many output channels, from `channel` on, as `none` has
    lanes.

    Gives the largest |V + current| so far.
    """
    sums = nothing, nothing, nothing
    highest = none
    unit, threshold = weights[op.unit], op.threshold
    bias = load(weights, np.uint64(op.bias + channel), none)
    width = np.uint64(op.out_width)
    base = np.uint64(op.weight + channel)
    place = np.uint64(row * op.out_columns * op.out_width + channel)
    word = np.uint64(op.target + row * op.out_columns * op.out_words + (channel >> 6))
    shift = np.uint64(channel & 63)
    fires, zeroes, signed = op.fires, op.zeroes, op.signed
    sent, negative = np.uint64(op.sent), np.uint64(op.out_negative)
    bursts, behind, twice = op.out_second != 0, np.uint64(op.out_second), threshold + threshold
    potential, target, words = (
        np.uint64(op.potential),
        np.uint64(op.target),
        np.uint64(op.out_words),
    )
    event = np.uint64(0)
    halved = op.halved != 0 and are_halved(nothing)
    for slot in range(op.out_columns + 2):
        if halved:
            others = nothing, nothing, nothing
            taken = 0
            while taken < LEAST or events[event] != END:
                sums = add_events(sums, rows, events, event, base, width)
                others = add_events(others, rows, events, event + np.uint64(2), base, width)
                event += np.uint64(4)
                taken += 4
            sums = add(sums[0], others[0]), add(sums[1], others[1]), add(sums[2], others[2])
        else:
            while events[event] != END:
                sums = add_events(sums, rows, events, event, base, width)
                event += np.uint64(2)
        event += np.uint64(1)
        if slot >= 2:
            current = currents(sums[2], unit, bias)
            if fires:
                charged = add(load(state, potential + place, none), current)
                highest = larger(magnitude(charged), highest)
                spikes = at_least(charged, threshold)
                if signed:
                    at = sent + place
                    back = take_back(counts, at, charged, spikes)
                    left = both_ways(charged, threshold, spikes, back)
                    if bursts:
                        again = at_least(charged, twice)
                        send_again(counts, at, again, charged)
                        left = minus_where(left, threshold, again)
                        put_bits(bits, word + behind, shift, again)
                    store(state, potential + place, left)
                    put_bits(bits, word + negative, shift, back)
                elif zeroes:
                    store(state, potential + place, zero_where(charged, spikes))
                else:
                    store(state, potential + place, minus_where(charged, threshold, spikes))
                put_bits(bits, word, shift, spikes)
                word += words
            else:
                store(values, target + place, current)
            place += width
        sums = nothing, sums[0], sums[1]
    return larger(fold(highest), most)


@plain
def add_events(sums: Any, rows: Any, events: Any, event: Any, base: Any, width: Any) -> Any:
    """The sums of three output columns, the last to be complete behind the others, with the two
    spikes that stand at `event` of the list added."""
    span = width + width + width
    at = base + np.uint64(events[event]) * span
    to = base + np.uint64(events[event + np.uint64(1)]) * span
    first, second, third = sums
    return (
        add_pair(first, rows, at, to),
        add_pair(second, rows, at + width, to + width),
        add_pair(third, rows, at + width + width, to + width + width),
    )
