"""Convolutions and fully connected layers, written into a program."""

import numpy as np
import numpy.typing as npt

from ann2snn.simulation.event import operations as code
from ann2snn.simulation.event.layout import Layout
from ann2snn.simulation.event.pool_lowering import windows_of
from ann2snn.simulation.event.program import Draft, Places
from ann2snn.simulation.event.sums import interleaved
from ann2snn.spec import Conv, Linear, Neuron, Node, SumPool
from ann2snn.spec.nodes.weighted import Weighted

Numbers = npt.NDArray[np.int64]
# Inputs in a column of a kernel where each combination of their spikes has a row of weights: spikes
# of fewer are as quick one by one, and more would have too many rows.
JOINT = range(9, 17)


def is_quick(node: Conv, *, signed: bool = False) -> bool:
    """Whether the fast kernel takes the convolution, if it reads spikes, `signed` or binary."""
    _, per_group, tall, wide = node.weight.shape
    plain = node.stride == node.dilation == (1, 1) and node.groups == 1
    rows = tall * per_group
    return plain and wide == 3 and (2 * rows + 1 if signed else rows) < (1 << 16) - 1


def write_convolution(draft: Draft, node: Conv) -> Neuron | None:
    """Gives the neurons that fire as the currents come, where nothing else reads the currents."""
    name, source = node.name, node.inputs[0]
    draft.count_events(node, source)
    geometry = _geometry(node) | {"bias": _bias(draft, node)}
    if source in draft.as_bits and is_quick(node, signed=draft.spec.is_signed(source)):
        return _convolution_of_spikes(draft, node, geometry)
    out, per_group, tall, wide = node.weight.shape
    grouped = node.weight.reshape(node.groups, out // node.groups, per_group, tall, wide)
    weight = draft.gains(grouped.transpose(0, 2, 3, 4, 1), source, name)
    draft.emit(code.CONV, source, name, source=draft.values_of(source),
               target=draft.values(name), weight=draft.weights.put(weight), **geometry)  # fmt: skip
    return None


def _geometry(node: Conv) -> Places:
    _, _, tall, wide = node.weight.shape
    return {
        "kernel_rows": tall, "kernel_columns": wide,
        "stride_rows": node.stride[0], "stride_columns": node.stride[1],
        "top": node.padding[0], "left": node.padding[2],
        "dilation_rows": node.dilation[0], "dilation_columns": node.dilation[1],
        "groups": node.groups,
    }  # fmt: skip


def _convolution_of_spikes(draft: Draft, node: Conv, geometry: Places) -> Neuron | None:
    name, source = node.name, node.inputs[0]
    layout, out_layout = draft.layouts[source], draft.layouts[name]
    out, per_group, tall, wide = node.weight.shape
    area = _pool_area(draft, source)
    taps = np.zeros((tall, per_group, wide, out_layout.width))
    taps[..., :out] = node.weight.transpose(2, 1, 3, 0)
    weight = taps.reshape(tall * per_group, wide, out_layout.width)
    slots = out_layout.columns + wide - 1  # each ends with a mark, behind a row of zeros at times
    events = tall * layout.columns * layout.channels * area + 2 * slots
    signed = draft.spec.is_signed(source)
    if source not in draft.pools and not signed and len(weight) in JOINT:
        lower = geometry["joint"] = -(-len(weight) // 2)
        weight = np.concatenate([_combinations(weight[:lower]), _combinations(weight[lower:])])
        events = 3 * slots
    draft.longest = max(draft.longest, events)
    geometry |= _rows(draft, weight, name, area, out_layout.width // 32 * 32, signed=signed)
    readers = draft.spec.readers(name)
    neuron = readers[0] if len(readers) == 1 and isinstance(readers[0], Neuron) else None
    if neuron:
        geometry |= draft.potential(neuron) | {"fires": 1, "target": draft.spikes(neuron.name)}
    else:
        geometry["target"] = draft.values(name)
    spikes = draft.as_bits[source]
    if source in draft.pools:
        pool = draft.pools[source]
        spikes = draft.as_bits[pool.inputs[0]]
        geometry |= windows_of(draft, pool) | {"pooled": draft.layouts[pool.inputs[0]].columns}
    draft.emit(code.CONV_ROWS, source, name, source=spikes, **geometry)
    return neuron


def _combinations(rows: np.ndarray) -> np.ndarray:
    """The sum of each set of rows (n, ...), 2^n sums; bit i of a sum's place says whether row i is
    in it."""
    sums = np.zeros((1, *rows.shape[1:]))
    for row in rows:
        sums = np.concatenate([sums, sums + row])
    return sums


def write_current(draft: Draft, node: Node) -> None:
    """Room for a current that does not change, and for a convolution of the image itself on a grid,
    where its sums are exact in any order, the kernel that fills it; array code fills the others."""
    name, spec = node.name, draft.spec
    place = draft.values(name)
    on_image = node.inputs == (spec.input.name,) and spec.grid is not None
    if not (on_image and isinstance(node, Conv) and node.groups == 1):
        draft.results.statics[name] = place
        return
    assert spec.grid is not None
    layout = draft.layouts[name]
    weight = np.zeros((*node.weight.shape[1:], layout.width))
    weight[..., : layout.channels] = node.weight.transpose(1, 2, 3, 0)
    bias = draft.reals.put(Layout(1, 1, layout.channels).filled(node.bias))
    units = (spec.levels, 2.0**spec.grid, 2.0 ** (draft.fractions[name] - spec.grid))
    draft.emit(code.IMAGE_CONV, spec.input.name, name, target=place, bias=bias,
               weight=draft.reals.put(weight), unit=draft.reals.put(np.array(units)),
               **_geometry(node))  # fmt: skip


def write_linear(draft: Draft, node: Linear, source: str) -> None:
    """Reads `source`: the node's input or, in another shape, the signal that this is made of."""
    name, layout, out = node.name, draft.layouts[source], draft.layouts[node.name]
    draft.count_events(node, source)
    weight = np.zeros((layout.pixels * layout.channels, out.width))
    weight[layout.places(layout.channels), : out.channels] = node.weight.T
    bias = _bias(draft, node)
    if source not in draft.as_bits:
        place = draft.weights.put(draft.gains(weight, source, name))
        draft.emit(code.LINEAR, source, name, source=draft.values_of(source),
                   target=draft.values(name), weight=place, bias=bias)  # fmt: skip
        return
    area = _pool_area(draft, source)
    draft.longest = max(draft.longest, len(weight) * area + 1)
    places = _rows(
        draft, weight, name, area, out.width // 128 * 128, signed=draft.spec.is_signed(source)
    )
    first = np.arange(layout.pixels) * layout.channels
    read = source
    if source in draft.pools:
        read = draft.pools[source].inputs[0]
        first = _spread(first, draft.pools[source], draft.layouts[read])
    places["table"] = draft.tables.put(first)
    draft.emit(code.LINEAR_ROWS, read, name, source=draft.as_bits[read],
               target=draft.values(name), bias=bias, **places)  # fmt: skip


def _bias(draft: Draft, node: Weighted) -> int:
    bias = np.ldexp(node.bias, draft.fractions[node.name])
    return draft.weights.put(Layout(1, 1, len(bias)).filled(bias))


def _pool_area(draft: Draft, source: str) -> int:
    """Inputs in the largest window of a pool that is read as spikes; 1 where there is none."""
    return draft.pools[source].largest_window if source in draft.pools else 1


def _rows(
    draft: Draft, weight: np.ndarray, name: str, area: int, wide: int, *, signed: bool
) -> Places:
    """Weights (rows, ..., channels) of `name` for the fast kernels, with a row of zeros behind
    them: as 16-bit whole numbers of a power of two where all of them are such (half as many bytes
    to move, and the sums are exact), else as the other weights.

    Behind the zeros stand the negated rows where spikes are `signed`: a negative spike adds one of
    these. Each is added `area` times at most, in pairs. Kernels take the channels up to `wide` in
    blocks of 32, the others in blocks of 16.
    """
    rows = np.concatenate([weight, np.zeros_like(weight[:1]), *([-weight] if signed else [])])
    largest = int(np.frexp(np.abs(weight).max(initial=0.0))[1])
    exponent = min(14 - largest, draft.bits_of[name])
    units = np.ldexp(rows, exponent)
    most = weight[..., 0].size * area
    fits = most <= 1 << 16  # as many of the largest still sum up in 32 bits
    places = {"zero_row": len(weight)}
    if not (fits and abs(exponent) < 64 and np.array_equal(units, np.rint(units))):
        rows = np.ldexp(rows, draft.fractions[name])
        return places | {"weight": draft.weights.put(rows), "unit": draft.weights.put(np.ones(1))}
    blocks = [32] * (wide // 32) + [16] * ((rows.shape[-1] - wide) // 16)
    starts = np.cumsum([0, *blocks])
    order = [s + i for s, block in zip(starts, blocks, strict=False) for i in interleaved(block)]
    unit = draft.weights.put(np.array([2.0 ** (draft.fractions[name] - exponent)]))
    shorts = draft.shorts.put(units[..., order].astype(np.int16))
    return places | {"weight": shorts, "short": 1, "unit": unit}


def _spread(values: Numbers, pool: SumPool, layout: Layout) -> Numbers:
    """The value of each window at all its inputs; -1 at inputs that lie in none."""
    spread = np.full((layout.rows, layout.columns), -1)
    windows = iter(values)
    for top, bottom in pool.rows:
        for left, right in pool.columns:
            spread[top:bottom, left:right] = next(windows)
    return spread.ravel()
