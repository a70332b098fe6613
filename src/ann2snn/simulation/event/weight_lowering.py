"""Convolutions and fully connected layers, written into a program."""

import numpy as np

from ann2snn.simulation.event import operations as code
from ann2snn.simulation.event.layout import Layout
from ann2snn.simulation.event.pool_lowering import disjoint, windows_of
from ann2snn.simulation.event.program import Draft, Places
from ann2snn.simulation.event.row_lists import LEAST
from ann2snn.simulation.event.sums import MANY_REGISTERS, WIDEST
from ann2snn.simulation.event.weight_rows import (
    both_signs,
    combinations,
    put_columns,
    spread,
    summed,
    weight_rows,
)
from ann2snn.spec import Conv, Linear, Neuron, Node
from ann2snn.spec.nodes.weighted import Weighted

# Inputs in a column of a kernel where each combination of their spikes has a row of weights: spikes
# of fewer are as quick one by one, and more would have too many rows.
JOINT = range(9, 17)
PAIRED = 32  # channels of a signed signal whose spikes of both signs fit one mask


def is_quick(node: Conv, *, signed: bool = False) -> bool:
    """Whether the sliding kernel takes the convolution, if it reads spikes, `signed` or binary."""
    plain = node.stride == node.dilation == (1, 1)
    return plain and node.weight.shape[3] == 3 and _has_names(node, node.weight.shape[2], signed)


def _has_names(node: Conv, taps: int, signed: bool) -> bool:
    """Whether lists of spikes have a name for each weight row of so many taps of all channels."""
    rows = taps * node.weight.shape[1]
    return node.groups == 1 and (2 * rows + 1 if signed else rows) < (1 << 16) - 1


def write_convolution(draft: Draft, node: Conv) -> Neuron | None:
    """Gives the neurons that fire as the currents come, where nothing else reads the currents."""
    name, source = node.name, node.inputs[0]
    draft.count_events(node, source)
    out, per_group, tall, wide = node.weight.shape
    places = _geometry(node) | {"bias": _bias(draft, node)}
    if source in draft.as_bits:
        signed = draft.takes_back(source)
        if is_quick(node, signed=signed):
            return _sliding(draft, node, places)
        if _has_names(node, tall * wide, signed):
            return _gathering(draft, node, places)
        if node.groups == out == draft.layouts[source].channels:
            return _depthwise(draft, node, places)
    kind = code.CONV_VALUES if node.groups == 1 else code.CONV
    if node.groups == 1:
        places["weight"] = put_columns(
            draft.weights,
            lambda some: draft.gains(node.weight[some].transpose(2, 3, 1, 0), source, name),
            (tall, wide, per_group),
            out,
        )
    else:
        grouped = node.weight.reshape(node.groups, out // node.groups, per_group, tall, wide)
        weight = draft.gains(grouped.transpose(0, 2, 3, 4, 1), source, name)
        places["weight"] = draft.weights.put(weight)
    draft.emit(kind, source, name, source=draft.values_of(source), target=draft.values(name),
               **places)  # fmt: skip
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


def _target(draft: Draft, name: str) -> tuple[Neuron | None, Places]:
    """The neurons that alone read the currents of a convolution, so that they fire as these come;
    and where the convolution writes."""
    readers = draft.spec.readers(name)
    neuron = readers[0] if len(readers) == 1 and isinstance(readers[0], Neuron) else None
    if neuron is None:
        return None, {"target": draft.values(name)}
    places = draft.potential(neuron)
    return neuron, places | {"fires": 1, "target": draft.spikes(neuron.name)}


def _gathering(draft: Draft, node: Conv, places: Places) -> Neuron | None:
    name, source = node.name, node.inputs[0]
    most, rows = draft.most(source), node.weight[0].size
    draft.longest = max(draft.longest, most * rows + 4)
    places |= weight_rows(
        draft,
        lambda some: node.weight[some].transpose(2, 3, 1, 0).reshape(rows, -1),
        (rows,),
        name,
        most,
        draft.layouts[name].width // WIDEST * WIDEST,
        negated=draft.takes_back(source),
    )
    neuron, where = _target(draft, name)
    draft.emit(code.CONV_PIXELS, source, name, source=draft.as_bits[source], **places, **where)
    return neuron


def _depthwise(draft: Draft, node: Conv, places: Places) -> Neuron | None:
    name, source = node.name, node.inputs[0]
    places["weight"] = put_columns(
        draft.weights,
        lambda some: np.ldexp(node.weight[some, 0].transpose(1, 2, 0), draft.fractions[name]),
        node.weight.shape[2:],
        len(node.weight),
    )
    neuron, where = _target(draft, name)
    draft.emit(code.CONV_CHANNELS, source, name, source=draft.as_bits[source], **places, **where)
    return neuron


def _sliding(draft: Draft, node: Conv, geometry: Places) -> Neuron | None:
    name, source = node.name, node.inputs[0]
    layout, out_layout = draft.layouts[source], draft.layouts[name]
    _, per_group, tall, wide = node.weight.shape
    area = _pool_area(draft, source) * draft.most(source)
    slots = out_layout.columns + wide - 1  # each ends with a mark, behind rows of zeros at times
    events = tall * layout.columns * layout.channels * area + (LEAST + 1) * slots
    rows, lower, signed = tall * per_group, 0, draft.takes_back(source)
    paired = signed and per_group <= PAIRED
    if source not in draft.pools and not signed and draft.most(source) == 1 and rows in JOINT:
        lower = geometry["joint"] = -(-rows // 2)
        events = 3 * slots
    draft.longest = max(draft.longest, events)
    geometry["paired"] = int(paired)

    def taps(some: slice) -> np.ndarray:
        weight = node.weight[some].transpose(2, 1, 3, 0)
        if paired:  # the rows of both signs are there
            return both_signs(weight, PAIRED)
        weight = weight.reshape(rows, *weight.shape[2:])
        if lower:
            return np.concatenate([combinations(weight[:lower]), combinations(weight[lower:])])
        return weight

    geometry |= weight_rows(
        draft, taps, taps(slice(0, 1)).shape[:2], name, area, out_layout.width // 32 * 32,
        negated=signed and not paired,
    )  # fmt: skip
    # the columns that a mere two rows of combinations make up gain nothing
    narrow = MANY_REGISTERS and out_layout.width % WIDEST > 0
    geometry["halved"] = int(narrow and geometry["short"] == 1 and not lower)
    neuron, where = _target(draft, name)
    geometry |= where
    spikes = draft.as_bits[source]
    if source in draft.pools:
        pool = draft.pools[source]
        spikes = draft.as_bits[pool.inputs[0]]
        geometry |= windows_of(draft, pool) | {"pooled": draft.layouts[pool.inputs[0]].columns}
    draft.emit(code.CONV_ROWS, source, name, source=spikes, **geometry)
    return neuron


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
    rows = layout.pixels * layout.channels
    order = np.argsort(layout.places(layout.channels))

    def inputs(some: slice) -> np.ndarray:
        return node.weight[some][:, order].T

    bias = _bias(draft, node)
    if source not in draft.as_bits:
        # one window that holds all there is
        whole = {
            "kernel_rows": layout.rows, "kernel_columns": layout.columns,
            "dilation_rows": 1, "dilation_columns": 1,
        }  # fmt: skip
        place = put_columns(
            draft.weights,
            lambda some: draft.gains(inputs(some), source, name),
            (rows,),
            out.channels,
        )
        draft.emit(code.CONV_VALUES, source, name, source=draft.values_of(source),
                   target=draft.values(name), weight=place, bias=bias, **whole)  # fmt: skip
        return
    area, read, part = _pool_area(draft, source) * draft.most(source), source, inputs
    first = np.arange(layout.pixels) * layout.channels
    if source in draft.pools:
        pool = draft.pools[source]
        read = pool.inputs[0]
        if disjoint(pool):
            first = spread(first, pool, draft.layouts[read])
        else:
            area, rows = 1, draft.layouts[read].pixels * layout.channels
            first = np.arange(draft.layouts[read].pixels) * layout.channels

            def part(some: slice) -> np.ndarray:
                return summed(inputs(some), pool, draft.layouts[read])

    draft.longest = max(draft.longest, rows * area + 2)
    places = weight_rows(
        draft, part, (rows,), name, area, out.width // 128 * 128, negated=False
    )  # fmt: skip
    places["table"] = draft.tables.put(first)
    draft.emit(code.LINEAR_ROWS, read, name, source=draft.as_bits[read],
               target=draft.values(name), bias=bias, **places)  # fmt: skip


def _bias(draft: Draft, node: Weighted) -> int:
    bias = np.ldexp(node.bias, draft.fractions[node.name])
    return draft.weights.put(Layout(1, 1, len(bias)).filled(bias))


def _pool_area(draft: Draft, source: str) -> int:
    """Inputs in the largest window of a pool that is read as spikes; 1 where there is none."""
    return draft.pools[source].largest_window if source in draft.pools else 1
