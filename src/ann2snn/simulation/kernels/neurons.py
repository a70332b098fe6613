"""Integrate-and-fire: V <- V + current, a spike where V >= 1, then the reset.

Every neuron of a layer takes its current in every step, so this is the floor of a step's cost; on
vectors it is a few instructions for 16 neurons, the spikes coming out as bits of a mask.
"""

import numpy as np

from ann2snn.simulation.kernels.vector import (
    add,
    at_least_one,
    larger,
    largest_lane,
    load,
    magnitude,
    minus_one_where,
    plain,
    store,
    zero_where,
    zeros,
)


@plain
def fire_all(op, state, bits, largest):
    """One step of a layer whose currents lie in `state` at op.source; spikes to op.target.

    Keeps the layer's largest |V + current| and |current| in `largest[op.mark]`.
    """
    most = zeros(state, 16)
    most_step = zeros(state, 16)
    for pixel in range(op.rows * op.columns):
        place = np.uint64(pixel * op.width)
        for word in range(op.words):
            fired = np.uint64(0)
            first = word * 64
            for lane in range(first, min(first + 64, op.width), 16):
                current = load(state, np.uint64(op.source) + place + np.uint64(lane), most)
                at = np.uint64(op.potential) + place + np.uint64(lane)
                charged = add(load(state, at, most), current)
                most = larger(magnitude(charged), most)
                most_step = larger(magnitude(current), most_step)
                spikes = at_least_one(charged)
                if op.zeroes:
                    store(state, at, zero_where(charged, spikes))
                else:
                    store(state, at, minus_one_where(charged, spikes))
                fired |= spikes << np.uint64(lane - first)
            bits[op.target + pixel * op.words + word] = fired
    largest[op.mark, 0] = max(largest[op.mark, 0], largest_lane(most))
    largest[op.mark, 1] = max(largest[op.mark, 1], largest_lane(most_step))
