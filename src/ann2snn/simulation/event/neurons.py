"""Integrate-and-fire: V <- V + current, a spike where V >= threshold, then the reset.

Every neuron of a layer takes its current in every step, so this is the floor of a step's cost; on
vectors it is a few instructions for as many neurons as these have lanes, the spikes coming out as
bits of a mask. Potentials stay in registers through all steps of a tile.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.arithmetic import (
    above,
    add,
    add_bits,
    at_least,
    fold,
    larger,
    largest_lane,
    magnitude,
    minus_where,
    zero_where,
)
from ann2snn.simulation.event.sums import MANY_REGISTERS
from ann2snn.simulation.event.vector import FIRST, lanes_of, load, plain, store, zeros, zeros_like


@plain
def fire(
    op: Any, values: Any, state: Any, bits: Any, counts: Any, largest: Any, ahead: Any
) -> None:
    """`ahead` steps of a layer whose currents lie in `values` at op.source, one row for each step,
    or for all of them (op.static); spikes to the rows of `bits` at op.target. Signed neurons keep
    their net numbers of spikes in `counts`.

    Keeps the layer's largest |V + current| in `largest[op.mark]`.
    """
    most, pixels = zeros(state, 16), op.rows * op.columns
    if MANY_REGISTERS and op.width % 64 == 0:
        for pixel in range(pixels):
            for lane in range(0, op.width, 64):
                most = fire_lanes(
                    op, values, state, bits, counts, ahead, pixel, lane, zeros(state, 64), most
                )
    elif op.width % 32 == 0:
        pairs = pixels >> 1 if MANY_REGISTERS and op.width == 32 else 0
        for pixel in range(0, 2 * pairs, 2):  # whose channels lie together
            most = fire_lanes(
                op, values, state, bits, counts, ahead, pixel, FIRST, zeros(state, 64), most
            )
        for pixel in range(2 * pairs, pixels):
            for lane in range(0, op.width, 32):
                most = fire_lanes(
                    op, values, state, bits, counts, ahead, pixel, lane, zeros(state, 32), most
                )
    else:
        for pixel in range(pixels):
            for lane in range(0, op.width, 16):
                most = fire_lanes(
                    op, values, state, bits, counts, ahead, pixel, lane, zeros(state, 16), most
                )
    largest[op.mark] = max(largest[op.mark], largest_lane(most))


@plain
def fire_lanes(
    op: Any, values: Any, state: Any, bits: Any, counts: Any, ahead: Any, pixel: Any, lane: Any,
    none: Any, most: Any,
) -> Any:  # fmt: skip
    """As many neurons, from channel `lane` of a pixel on, as `none` has lanes, also of the next
    pixel where one has 32; gives the largest |V + current| so far. Wide vectors are several of
    the processor's, none of which waits for another."""
    threshold, signed, zeroes = op.threshold, op.signed, op.zeroes
    pair = lanes_of(none) > op.width
    place = np.uint64(pixel * op.width + lane)
    source, potential = np.uint64(op.source) + place, np.uint64(op.potential) + place
    stride = np.uint64(0) if op.static else np.uint64(values.shape[1])
    word, shift = np.uint64(op.target + pixel * op.words + (lane >> 6)), np.uint64(lane & 63)
    negative, second = np.uint64(op.out_negative), np.uint64(op.out_second)
    bursts, twice = op.out_second != 0, threshold + threshold
    charged, highest = load(state, potential, none), none
    net = zeros_like(none, counts)
    if signed:
        net = load(counts, np.uint64(op.sent) + place, net)
    nobody = zeros_like(none, counts)
    for step in range(ahead):
        charged = add(charged, load(values, source, none))
        highest = larger(magnitude(charged), highest)
        spikes = at_least(charged, threshold)
        left = zero_where(charged, spikes) if zeroes else minus_where(charged, threshold, spikes)
        if signed:
            back = above(net, nobody) & ~at_least(charged, 0)
            net = both_ways(net, -1, spikes, back)
            left = minus_where(left, -threshold, back)
            put_lanes(bits[step], word + negative, shift, pair, back)
        if bursts:
            again = at_least(charged, twice)
            net = add_bits(net, again)
            left = minus_where(left, threshold, again)
            put_lanes(bits[step], word + second, shift, pair, again)
        put_lanes(bits[step], word, shift, pair, spikes)
        charged = left
        source += stride
    store(state, potential, charged)
    if signed:
        store(counts, np.uint64(op.sent) + place, net)
    return larger(fold(highest), most)


@plain
def receive(
    op: Any, state: Any, bits: Any, counts: Any, current: Any, pixel: Any, channel: Any,
    highest: Any,
) -> Any:  # fmt: skip
    """One step of as many neurons, from `channel` of a pixel of the written signal on, as `current`
    has lanes; gives their largest |V + current| or `highest`, lane by lane."""
    place = np.uint64(pixel * op.out_width + channel)
    word = np.uint64(op.target + pixel * op.out_words + (channel >> 6))
    shift = np.uint64(channel & 63)
    potential = np.uint64(op.potential) + place
    charged = add(load(state, potential, current), current)
    spikes = at_least(charged, op.threshold)
    highest = larger(magnitude(charged), highest)
    if op.signed:
        sent = np.uint64(op.sent) + place
        back = take_back(counts, sent, charged, spikes)
        left = both_ways(charged, op.threshold, spikes, back)
        if op.out_second:
            again = at_least(charged, op.threshold + op.threshold)
            send_again(counts, sent, again, charged)
            left = minus_where(left, op.threshold, again)
            put_bits(bits, word + np.uint64(op.out_second), shift, again)
        store(state, potential, left)
        put_bits(bits, word + np.uint64(op.out_negative), shift, back)
    elif op.zeroes:
        store(state, potential, zero_where(charged, spikes))
    else:
        store(state, potential, minus_where(charged, op.threshold, spikes))
    put_bits(bits, word, shift, spikes)
    return highest


@plain
def take_back(counts: Any, place: Any, charged: Any, spikes: Any) -> Any:
    """Bits of the neurons that send a negative spike: below 0, with a spike to take back. The net
    numbers of spikes sent, in `counts` from `place` on, are brought up to the step."""
    sent = load(counts, place, charged)
    back = above(sent, zeros_like(charged, counts)) & ~at_least(charged, 0)
    store(counts, place, minus_where(add_bits(sent, spikes), 1, back))
    return back


@plain
def send_again(counts: Any, place: Any, again: Any, like: Any) -> None:
    """Counts the second spikes of a step in: as many neurons as `like` has lanes."""
    store(counts, place, add_bits(load(counts, place, like), again))


@plain
def both_ways(numbers: Any, amount: Any, spikes: Any, back: Any) -> Any:
    """Numbers less `amount` where a neuron sent a spike, and more where it took one back."""
    return minus_where(minus_where(numbers, amount, spikes), -amount, back)


@plain
def put_bits(bits: Any, word: Any, shift: Any, spikes: Any) -> None:
    """Writes the spikes of neurons from channel `shift` of a word on, the lower channels first."""
    if shift == 0:
        bits[word] = spikes
    else:
        bits[word] |= spikes << shift


@plain
def put_lanes(bits: Any, word: Any, shift: Any, pair: Any, spikes: Any) -> None:
    """As `put_bits`, or the 32 lower bits to a word and the others to the next."""
    if pair:
        bits[word] = spikes & np.uint64(0xFFFFFFFF)
        bits[word + np.uint64(1)] = spikes >> np.uint64(32)
    else:
        put_bits(bits, word, shift, spikes)
