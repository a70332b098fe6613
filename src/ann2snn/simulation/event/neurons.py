"""Integrate-and-fire: V <- V + current, a spike where V >= threshold, then the reset.

Every neuron of a layer takes its current in every step, so this is the floor of a step's cost; on
vectors it is a few instructions for 16 neurons, the spikes coming out as bits of a mask.

Neurons behind an analog image take the same current in every step and need nobody's spikes: they
run some steps ahead at once, so that their potentials and currents, which are among the largest
arrays of an image, pass through the cache once in eight steps.
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
from ann2snn.simulation.event.vector import load, plain, store, zeros, zeros_like

AHEAD = 8


@plain
def fire_all(op: Any, state: Any, bits: Any, counts: Any, estimates: Any, largest: Any) -> None:
    """One step of a layer whose currents lie in `state` at op.source; spikes to op.target.

    Keeps the layer's largest |V + current| in `largest[op.mark]`.
    """
    most = zeros(state, 16)
    threshold, signed, long = op.threshold, op.signed, op.long
    for pixel in range(op.rows * op.columns):
        place = np.uint64(pixel * op.width)
        for word in range(op.words):
            fired, undone = np.uint64(0), np.uint64(0)
            first = word * 64
            for lane in range(first, min(first + 64, op.width), 16):
                current = load(state, np.uint64(op.source) + place + np.uint64(lane), most)
                at = np.uint64(op.potential) + place + np.uint64(lane)
                charged = add(load(state, at, most), current)
                most = larger(magnitude(charged), most)
                spikes = at_least(charged, threshold)
                if signed:
                    sent = np.uint64(op.sent) + place + np.uint64(lane)
                    back = take_back(long, counts, estimates, sent, charged, spikes)
                    store(state, at, both_ways(charged, threshold, spikes, back))
                    undone |= back << np.uint64(lane - first)
                elif op.zeroes:
                    store(state, at, zero_where(charged, spikes))
                else:
                    store(state, at, minus_where(charged, threshold, spikes))
                fired |= spikes << np.uint64(lane - first)
            bits[op.target + pixel * op.words + word] = fired
            if signed:
                bits[op.target + op.out_negative + pixel * op.words + word] = undone
    largest[op.mark] = max(largest[op.mark], largest_lane(most))


@plain
def take_back(long: Any, counts: Any, estimates: Any, place: Any, charged: Any, spikes: Any) -> Any:
    """Bits of the neurons that send a negative spike: below 0, with a spike to take back. The net
    numbers of spikes sent are brought up to the step: in `counts`, 16 bits each, which halves what
    passes through the cache, or for `long` runs in `estimates`."""
    if long:
        return taken_back(estimates, place, charged, spikes)
    return taken_back(counts, place, charged, spikes)


@plain
def taken_back(numbers: Any, place: Any, charged: Any, spikes: Any) -> Any:
    """As `take_back`, with the net numbers of spikes in `numbers` from `place` on."""
    sent = load(numbers, place, charged)
    back = above(sent, zeros_like(charged, numbers)) & ~at_least(charged, 0)
    store(numbers, place, minus_where(add_bits(sent, spikes), 1, back))
    return back


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
def fire_ahead(
    op: Any, state: Any, bits: Any, counts: Any, estimates: Any, largest: Any, turn: Any,
    ahead: Any,
) -> None:  # fmt: skip
    """One step of a layer whose current does not change; turn 0 works for `ahead` steps.

    Their spikes wait in `bits` at op.estimate, step after step.
    """
    size = op.rows * op.columns * op.words * (1 + op.signed)
    if turn == 0:
        if op.width % 32 == 0:
            run_ahead(op, state, bits, counts, estimates, largest, ahead, zeros(state, 32))
        else:
            run_ahead(op, state, bits, counts, estimates, largest, ahead, zeros(state, 16))
    source = op.estimate + turn * size
    for word in range(size):
        bits[np.uint64(op.target + word)] = bits[np.uint64(source + word)]


@plain
def run_ahead(
    op: Any, state: Any, bits: Any, counts: Any, estimates: Any, largest: Any, ahead: Any,
    none: Any,
) -> None:  # fmt: skip
    """`ahead` steps of all neurons, as many at a time as `none` has lanes."""
    most = zeros(state, 16)
    negative = np.uint64(op.rows * op.columns * op.words)
    size = negative * np.uint64(1 + op.signed)
    lanes = 32 if op.width % 32 == 0 else 16
    zeroes, threshold, signed, long = op.zeroes, op.threshold, op.signed, op.long
    for pixel in range(op.rows * op.columns):
        for lane in range(0, op.width, lanes):
            place = np.uint64(pixel * op.width + lane)
            current = load(state, np.uint64(op.source) + place, none)
            potential = load(state, np.uint64(op.potential) + place, none)
            word = np.uint64(op.estimate + pixel * op.words + (lane >> 6))
            shift = np.uint64(lane & 63)
            highest = none
            for _ in range(ahead):
                potential = add(potential, current)
                highest = larger(magnitude(potential), highest)
                spikes = at_least(potential, threshold)
                if signed:
                    sent = np.uint64(op.sent) + place
                    back = take_back(long, counts, estimates, sent, potential, spikes)
                    potential = both_ways(potential, threshold, spikes, back)
                    put_bits(bits, word + negative, shift, back)
                elif zeroes:
                    potential = zero_where(potential, spikes)
                else:
                    potential = minus_where(potential, threshold, spikes)
                put_bits(bits, word, shift, spikes)
                word += size
            most = larger(fold(highest), most)
            store(state, np.uint64(op.potential) + place, potential)
    largest[op.mark] = max(largest[op.mark], largest_lane(most))
