"""Pooling of either kind, written into a program."""

from itertools import pairwise

import numpy as np

from ann2snn.numerics.windows import Windows
from ann2snn.simulation.kernels import operation as code
from ann2snn.simulation.kernels.program import Draft, Places
from ann2snn.spec import MaxPool, SumPool

SHORT_COUNTS = 65_000  # steps up to which counts fit 16 bits


def write_gate(draft: Draft, node: MaxPool, source: str, steps: int) -> None:
    """Max-pooling, of spikes or of values."""
    name, read, write = node.name, draft.layouts[source], draft.layouts[node.name]
    _count_operations(draft, node)
    places = windows_of(draft, node)
    inputs = read.pixels + write.pixels
    if source not in draft.as_bits:
        places["estimate"] = draft.state.room(inputs * read.width)
        places["factor"] = draft.factor(source, name)
        draft.emit(code.RISE_VALUES, source, name, source=draft.values_of(source),
                   target=draft.values(name), **places)  # fmt: skip
        return
    places |= {"source": draft.as_bits[source], "target": draft.spikes(name)}
    places |= {"gate": code.GATE_CODES[node.pooling], "disjoint": int(disjoint(node))}
    if node.pooling == "rise" and steps <= SHORT_COUNTS:
        places["estimate"] = draft.counts.room(inputs * -(-read.channels // 32) * 32)
        draft.emit(code.RISE, source, name, **places)
    else:
        places["estimate"] = draft.estimates.room(inputs * -(-read.channels // 32) * 32)
        draft.emit(code.GATE, source, name, **places)


def write_sums(draft: Draft, node: SumPool, source: str, *, read_as_spikes: bool) -> None:
    """Sums over windows. Where all who read them can read the spikes themselves (`read_as_spikes`),
    only which windows hold one: each is one event for its readers, however many it holds, as a sum
    that is not 0 is for other readers (`Block` says what an event costs)."""
    name = node.name
    _count_operations(draft, node)
    places = windows_of(draft, node)
    if read_as_spikes:
        draft.pools[name] = node
        draft.emit(code.GATE, source, name, source=draft.as_bits[source],
                   target=draft.spikes(name), gate=code.GATE_CODES["spikes"], **places)  # fmt: skip
    else:
        places |= {"source": draft.values_of(source), "target": draft.values(name)}
        draft.emit(code.SUM_POOL, source, name, factor=draft.factor(source, name), **places)


def _count_operations(draft: Draft, node: MaxPool | SumPool) -> None:
    source = node.inputs[0]
    layout = draft.layouts[source]
    axes = []
    for windows, size in ((node.rows, layout.rows), (node.columns, layout.columns)):
        seen = np.zeros(size, np.int64)
        for first, last in windows:
            seen[first:last] += 1
        axes.append(seen)
    draft.results.pool_operations[node.name] = draft.count(source, np.outer(*axes).ravel())


def windows_of(draft: Draft, node: MaxPool | SumPool) -> Places:
    """Where the windows of a pool stand."""
    rows, columns = (np.array(windows, np.int64) for windows in (node.rows, node.columns))
    return {"table": draft.tables.put(rows), "other_table": draft.tables.put(columns)}


def largest_window(pool: SumPool) -> int:
    """Inputs of the largest window."""
    tall, wide = (max(b - a for a, b in axis) for axis in (pool.rows, pool.columns))
    return tall * wide


def disjoint(node: MaxPool | SumPool) -> bool:
    """Whether no input lies in two windows."""
    return _apart(node.rows) and _apart(node.columns)


def _apart(windows: Windows) -> bool:
    return all(last <= first for (_, last), (first, _) in pairwise(windows))
