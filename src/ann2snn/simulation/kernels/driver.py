"""Runs a lowered network over one image, through all its steps."""

from typing import Any

import numpy as np

from ann2snn.numerics.compiled import compiled
from ann2snn.simulation.kernels import operation, plain
from ann2snn.simulation.kernels.bits import weighted_count
from ann2snn.simulation.kernels.convolution import convolve_rows
from ann2snn.simulation.kernels.gates import choose, rise, rise_of_values
from ann2snn.simulation.kernels.linear import sum_rows
from ann2snn.simulation.kernels.neurons import fire_ahead, fire_all
from ann2snn.simulation.kernels.poisson import draw


@compiled
def run(
    program: Any,
    shorts: Any,
    weights: Any,
    tables: Any,
    state: Any,
    bits: Any,
    estimates: Any,
    counts: Any,
    events: Any,
    places: Any,
    limits: Any,
    seed: Any,
    image: Any,
    operations: Any,
    outputs: Any,
    largest: Any,
    units: Any,
    trains: Any,
) -> None:
    """Fills operations (slots, steps), outputs (steps, classes), largest (marks,), units and
    trains; `state`, `bits`, `estimates` and `counts` hold the network before its first step."""
    for step in range(outputs.shape[0]):
        for index in range(program.shape[0]):
            op = program[index]
            kind = op.kind
            if kind == operation.CONV_ROWS:
                if op.short:
                    convolve_rows(op, shorts, weights, tables, state, bits, largest, events)
                else:
                    convolve_rows(op, weights, weights, tables, state, bits, largest, events)
            elif kind == operation.NEURON:
                fire_all(op, state, bits, largest)
            elif kind == operation.NEURON_AHEAD:
                fire_ahead(op, state, bits, largest, step, outputs.shape[0])
            elif kind == operation.LINEAR_ROWS:
                if op.short:
                    sum_rows(op, shorts, weights, tables, state, bits, places)
                else:
                    sum_rows(op, weights, weights, tables, state, bits, places)
            elif kind == operation.RISE:
                rise(op, bits, counts, tables)
            elif kind == operation.COUNT:
                pixels_in = op.rows * op.columns
                found = weighted_count(op.source, pixels_in, op.words, bits, op.table, tables)
                operations[op.slot, step] = found
            elif kind == operation.POISSON:
                draw(op, bits, limits, seed, image, step + 1)
            elif kind == operation.GATE:
                choose(op, bits, estimates, tables, step + 1)
            elif kind == operation.RISE_VALUES:
                rise_of_values(op, state, tables)
            elif kind == operation.EXPAND:
                plain.expand(op, state, bits)
            elif kind == operation.CONV:
                plain.convolve(op, weights, state)
            elif kind == operation.LINEAR:
                plain.multiply(op, weights, state)
            elif kind == operation.SUM_POOL:
                plain.sum_windows(op, state, tables)
            elif kind == operation.AFFINE:
                plain.scale_and_shift(op, weights, state)
            elif kind == operation.ADD:
                plain.accumulate(op, state)
            elif kind == operation.MOVE_VALUES:
                plain.move_values(op, state, tables)
            elif kind == operation.MOVE_BITS:
                plain.move_bits(op, bits, tables)
            elif kind == operation.COUNT_VALUES:
                operations[op.slot, step] = plain.count_values(op, state, tables)
            elif kind == operation.COUNT_UNITS:
                plain.count_units(op, bits, units)
            elif kind == operation.RECORD:
                plain.record(op, bits, tables, trains, step)
            elif kind == operation.OUTPUT:
                for unit in range(op.channels):
                    outputs[step, unit] = np.float64(state[op.source + unit])
