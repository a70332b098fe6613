"""Runs a lowered network over one image, through all its steps, a tile of them at a time."""

from typing import Any

import numpy as np

from ann2snn.numerics.compiled import compiled
from ann2snn.simulation.event import any_shape
from ann2snn.simulation.event import operations as code
from ann2snn.simulation.event.bit_lists import weighted_count
from ann2snn.simulation.event.convolution import convolve_rows
from ann2snn.simulation.event.depthwise import convolve_channels
from ann2snn.simulation.event.gather import convolve_pixels
from ann2snn.simulation.event.growth import growth
from ann2snn.simulation.event.image_currents import convolve_image
from ann2snn.simulation.event.linear import sum_rows
from ann2snn.simulation.event.max_pooling import choose, growth_of_values
from ann2snn.simulation.event.neurons import fire
from ann2snn.simulation.event.poisson import draw
from ann2snn.simulation.event.values import (
    accumulate,
    convolve_values,
    count_values,
    expand,
    scale_and_shift,
)
from ann2snn.simulation.event.vector import plain


@compiled
def run(
    program: Any, shorts: Any, weights: Any, reals: Any, tables: Any, values: Any, state: Any,
    bits: Any, estimates: Any, counts: Any, events: Any, places: Any, pixels: Any, limits: Any,
    seed: Any, image: Any, operations: Any, outputs: Any, largest: Any, units: Any, trains: Any,
    summed: Any, margin: Any,
) -> Any:  # fmt: skip
    """Fills operations (slots, steps), outputs (steps, classes), largest (marks,), units and
    trains; `state`, `estimates`, `counts` and `summed`, the outputs' sums, hold the network before
    its first step, `values` and `bits` have room for the signals of a tile of steps.

    The network is feed-forward, so each operation takes all steps of a tile before the next one
    begins. Gives the number of steps taken: all, or with a `margin` above 0 those up to the first
    at which the best class leads by it in accumulated output. Where an operation has a code that it
    does not know, gives the negative of that.
    """
    steps, tile = outputs.shape[0], values.shape[0]
    for start in range(0, steps, tile):
        ahead = min(tile, steps - start)
        for index in range(program.shape[0]):
            op = program[index]
            kind = op.kind
            if kind == code.CONV_ROWS:
                if op.short:
                    convolve_rows(
                        op, shorts, weights, tables, values, state, bits, counts, largest,
                        events, ahead,
                    )  # fmt: skip
                else:
                    convolve_rows(
                        op, weights, weights, tables, values, state, bits, counts, largest,
                        events, ahead,
                    )  # fmt: skip
            elif kind == code.CONV_PIXELS:
                if op.short:
                    convolve_pixels(
                        op, shorts, weights, values, state, bits, counts, largest, events,
                        ahead,
                    )  # fmt: skip
                else:
                    convolve_pixels(
                        op, weights, weights, values, state, bits, counts, largest, events,
                        ahead,
                    )  # fmt: skip
            elif kind == code.CONV_CHANNELS:
                convolve_channels(op, weights, values, state, bits, counts, largest, ahead)
            elif kind == code.CONV_VALUES:
                convolve_values(op, weights, values, ahead)
            elif kind == code.LINEAR_ROWS:
                if op.short:
                    sum_rows(op, shorts, weights, tables, values, bits, places, ahead)
                else:
                    sum_rows(op, weights, weights, tables, values, bits, places, ahead)
            elif kind == code.NEURON:
                fire(op, values, state, bits, counts, largest, ahead)
            elif kind == code.GROWTH:
                growth(op, bits, counts, tables, ahead)
            elif kind == code.IMAGE_CONV:
                if start == 0:
                    convolve_image(op, pixels, reals, values[0])
            elif kind == code.SPREAD:
                if start == 0:
                    any_shape.spread(op, values)
            else:
                for each in range(ahead):
                    known = take_step(
                        op, weights, tables, values[each], state, bits[each], estimates, limits,
                        seed, image, operations, outputs, units, trains, start + each,
                    )  # fmt: skip
                    if not known:
                        return -abs(kind)
        if margin > 0:
            for step in range(start, start + ahead):
                for unit in range(len(summed)):
                    summed[unit] += outputs[step, unit]
                if lead(summed) >= margin:
                    return step + 1
    return steps


@plain
def take_step(
    op: Any, weights: Any, tables: Any, values: Any, state: Any, bits: Any, estimates: Any,
    limits: Any, seed: Any, image: Any, operations: Any, outputs: Any, units: Any,
    trains: Any, step: Any,
) -> Any:  # fmt: skip
    """One step of an operation whose signals lie in `values` and `bits`; whether it is known."""
    kind = op.kind
    if kind == code.COUNT:
        pixels_in = op.rows * op.columns
        found = weighted_count(op.source, pixels_in, op.words, bits, op.table, tables)
        if op.negative:
            behind = op.source + op.negative
            found += weighted_count(behind, pixels_in, op.words, bits, op.table, tables)
        if op.second:
            behind = op.source + op.second
            found += weighted_count(behind, pixels_in, op.words, bits, op.table, tables)
        operations[op.slot, step] = found
    elif kind == code.POISSON:
        draw(op, bits, limits, seed, image, step + 1)
    elif kind == code.MAX_POOL:
        choose(op, bits, estimates, tables, step + 1)
    elif kind == code.GROWTH_VALUES:
        growth_of_values(op, values, state, tables)
    elif kind == code.EXPAND:
        expand(op, values, bits)
    elif kind == code.CONV:
        any_shape.convolve(op, weights, values)
    elif kind == code.SUM_POOL:
        any_shape.sum_windows(op, values, tables)
    elif kind == code.AFFINE:
        scale_and_shift(op, weights, values)
    elif kind == code.ADD:
        accumulate(op, values)
    elif kind == code.MOVE_VALUES:
        any_shape.move_values(op, values, tables)
    elif kind == code.MOVE_BITS:
        any_shape.move_bits(op, bits, tables)
    elif kind == code.COUNT_VALUES:
        operations[op.slot, step] = count_values(op, values, tables)
    elif kind == code.COUNT_UNITS:
        any_shape.count_units(op, bits, units)
    elif kind == code.RECORD:
        any_shape.record(op, bits, tables, trains, step)
    elif kind == code.OUTPUT:
        for unit in range(op.channels):
            outputs[step, unit] = np.float64(values[op.source + unit])
    else:
        return False
    return True


@plain
def lead(numbers: Any) -> Any:
    """How far the largest is ahead of the second."""
    best = second = -np.inf
    for number in numbers:
        second = max(second, min(best, number))
        best = max(best, number)
    return best - second
