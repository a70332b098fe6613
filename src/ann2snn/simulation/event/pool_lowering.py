"""Pooling of either kind, written into a program."""

from itertools import pairwise

import numpy as np

from ann2snn.numerics.windows import Windows
from ann2snn.simulation.event import operations as code
from ann2snn.simulation.event.program import Draft, Places
from ann2snn.spec import MaxPool, SumPool
from ann2snn.spec.nodes.pools import Pool


def write_max_pool(draft: Draft, node: MaxPool, source: str) -> None:
    """Max-pooling, of spikes or of values."""
    name, read, write = node.name, draft.layouts[source], draft.layouts[node.name]
    draft.count_events(node, source)
    places = windows_of(draft, node)
    inputs = read.pixels + write.pixels
    if source not in draft.as_bits:
        places["estimate"] = draft.state.room(inputs * read.width)
        places["factor"] = draft.factor(source, name)
        draft.emit(code.GROWTH_VALUES, source, name, source=draft.values_of(source),
                   target=draft.values(name), **places)  # fmt: skip
        return
    places |= {"source": draft.as_bits[source], "target": draft.spikes(name)}
    places["disjoint"] = int(disjoint(node))
    lanes = -(-read.channels // 32) * 32
    if node.pooling == "rise":
        places["estimate"] = draft.counts.room(inputs * lanes)
        draft.emit(code.GROWTH, source, name, **places)
        return
    assert not draft.spec.is_signed(source), "the spec refuses others"
    kept = 0 if node.pooling == "spikes" else read.pixels * lanes
    places |= {"estimate": draft.estimates.room(kept), "pooling": code.POOLINGS[node.pooling]}
    draft.emit(code.MAX_POOL, source, name, **places)


def write_sums(draft: Draft, node: SumPool, source: str, *, read_as_spikes: bool) -> None:
    """Sums over windows. Where all who read them can read the spikes themselves (`read_as_spikes`),
    only which windows hold one: each is one event for its readers, however many it holds, as a sum
    that is not 0 is for other readers (`Block` says what an event costs)."""
    name = node.name
    draft.count_events(node, source)
    places = windows_of(draft, node)
    if read_as_spikes:
        draft.pools[name] = node
        draft.emit(code.MAX_POOL, source, name, source=draft.as_bits[source],
                   target=draft.spikes(name), pooling=code.POOLINGS["spikes"],
                   **places)  # fmt: skip
    else:
        places |= {"source": draft.values_of(source), "target": draft.values(name)}
        draft.emit(code.SUM_POOL, source, name, factor=draft.factor(source, name), **places)


def windows_of(draft: Draft, node: Pool) -> Places:
    """Where the windows of a pool stand."""
    rows, columns = (np.array(windows, np.int64) for windows in (node.rows, node.columns))
    return {"table": draft.tables.put(rows), "other_table": draft.tables.put(columns)}


def disjoint(node: Pool) -> bool:
    """Whether no input lies in two windows."""
    return _apart(node.rows) and _apart(node.columns)


def _apart(windows: Windows) -> bool:
    return all(last <= first for (_, last), (first, _) in pairwise(windows))
