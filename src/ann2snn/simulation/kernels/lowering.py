"""From a spec to what the driver runs: operations, and the arrays that they name places in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ann2snn.shapes import Windows
from ann2snn.simulation.certificate import signal_bits
from ann2snn.simulation.kernels import operation as code
from ann2snn.simulation.kernels.arena import Arena
from ann2snn.simulation.kernels.layout import Layout
from ann2snn.simulation.kernels.neurons import AHEAD
from ann2snn.simulation.kernels.operation import OPERATION, WORD
from ann2snn.simulation.kernels.sums import interleaved
from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Node,
    Output,
    Reshape,
    SpikingSpec,
    SumPool,
)  # fmt: skip
from ann2snn.spec.cost import fan_out

Numbers = npt.NDArray[np.int64]
SHORT_COUNTS = 65_000  # steps up to which counts fit 16 bits


@dataclass
class Program:
    """A lowered network. Slots and places say where results of a node come to lie.

    What lies in `state` are multiples of 2^-fraction of the threshold where these are whole
    numbers, with a fraction of its own for every signal; floating-point ones have fraction 0.
    """

    operations: npt.NDArray[np.void]
    shorts: npt.NDArray[np.int16]
    weights: np.ndarray
    tables: Numbers
    state: np.ndarray
    words: int
    estimates: int
    counts: int
    longest: int
    fractions: dict[str, int]
    slots: int = 0
    spikes: dict[str, int] = field(default_factory=dict)
    synops: dict[str, int] = field(default_factory=dict)
    pool_operations: dict[str, int] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    statics: dict[str, int] = field(default_factory=dict)
    potentials: dict[str, int] = field(default_factory=dict)
    units: dict[str, tuple[int, int]] = field(default_factory=dict)
    trains: dict[str, tuple[int, int]] = field(default_factory=dict)


class Lowering:
    """Goes through a spec once and writes the operations of each node."""

    def __init__(
        self,
        spec: SpikingSpec,
        precision: str,
        steps: int,
        keep: frozenset[str],
        record: dict[str, list[int]],
    ) -> None:
        self.spec, self.steps, self.keep, self.recorded = spec, steps, keep, record
        self.layouts = {name: Layout.of(shape) for name, shape in spec.shapes.items()}
        self.bits_of = signal_bits(spec)
        whole = np.issubdtype(precision, np.integer)
        self.fractions = self.bits_of if whole else dict.fromkeys(self.bits_of, 0)
        self.weights, self.state = Arena(precision), Arena(precision)
        self.shorts = Arena("int16")
        self.tables, self.bits = Arena("int64"), Arena("uint64")
        self.estimates, self.counts = Arena("uint32"), Arena("uint16")
        self.rows: list[dict[str, int]] = []
        self.as_values: dict[str, int] = {}
        self.as_bits: dict[str, int] = {}
        self.fused: dict[str, Neuron] = {}
        self.alias: dict[str, str] = {}
        self.pools: dict[str, SumPool] = {}
        self.program = Program(
            np.zeros(0, OPERATION),
            np.zeros(0, np.int16),
            np.zeros(0),
            np.zeros(0, np.int64),
            np.zeros(0),
            0,
            0,
            0,
            1,
            self.fractions,
        )

    def lowered(self) -> Program:
        """The program of the whole spec."""
        for node in self.spec:
            if self.spec.is_static(node.name):
                if any(not self.spec.is_static(r.name) for r in self.spec.readers(node.name)):
                    place = self._values(node.name)
                    self.program.statics[node.name] = place
            else:
                self._node(node)
        program = self.program
        program.operations = np.zeros(len(self.rows), OPERATION)
        for operation, row in zip(program.operations, self.rows, strict=True):
            for name, value in row.items():
                operation[name] = value
        program.shorts = self.shorts.array()
        program.weights, program.tables = self.weights.array(), self.tables.array()
        program.state, program.words = self.state.array(), self.bits.size
        program.estimates, program.counts = self.estimates.size, self.counts.size
        return program

    # places of signals

    def _values(self, name: str) -> int:
        layout = self.layouts[name]
        place = self.as_values[name] = self.state.room(layout.pixels * layout.width)
        return place

    def _spikes(self, name: str) -> int:
        layout = self.layouts[name]
        place = self.as_bits[name] = self.bits.room(layout.pixels * layout.words)
        return place

    def _values_of(self, name: str) -> int:
        """Where `name` lies as values; spikes are expanded once for all who want them so."""
        if name not in self.as_values:
            source = self.as_bits[name]
            self._emit(code.EXPAND, name, name, source=source, target=self._values(name),
                       unit=self._number(2.0 ** self.fractions[name]))  # fmt: skip
        return self.as_values[name]

    def _number(self, value: float) -> int:
        return self.weights.put(np.array([value]))

    def _unit(self, source: str, name: str) -> int:
        """The unit of `source` in units of `name`, which reads it."""
        return self._number(2.0 ** (self.fractions[name] - self.fractions[source]))

    def _gains(self, gains: np.ndarray, source: str, name: str) -> np.ndarray:
        """Weights that make numbers of `name` of those of `source`."""
        scaled: np.ndarray = np.ldexp(gains, self.fractions[name] - self.fractions[source])
        return scaled

    def _emit(self, kind: int, source_name: str, target_name: str, /, **places: int) -> None:
        read, write = self.layouts[source_name], self.layouts[target_name]
        self.rows.append(
            {
                "kind": kind,
                "rows": read.rows, "columns": read.columns, "channels": read.channels,
                "width": read.width, "words": read.words,
                "out_rows": write.rows, "out_columns": write.columns,
                "out_channels": write.channels, "out_width": write.width,
                "out_words": write.words,
            }
            | places
        )  # fmt: skip

    def _count(self, source: str, weights: np.ndarray) -> int:
        """A slot for the sum over the events of `source` (units that are not 0, see `Block`) of
        their pixel's weight."""
        slot, table = self.program.slots, self.tables.put(weights)
        self.program.slots += 1
        if source in self.as_bits:
            self._emit(code.COUNT, source, source, source=self.as_bits[source], table=table,
                       slot=slot)  # fmt: skip
        else:
            self._emit(code.COUNT_VALUES, source, source, source=self.as_values[source],
                       table=table, slot=slot)  # fmt: skip
        return slot

    # nodes

    def _node(self, node: Node) -> None:
        name = node.name
        source = self.alias.get(node.inputs[0], node.inputs[0]) if node.inputs else name
        match node:
            case Input():
                self._emit(code.POISSON, name, name, target=self._spikes(name))
            case Conv():
                self._convolution(node)
            case Linear():
                self._linear(node, source)
            case Affine():
                shape = self.spec.shapes[name]
                gains = self._gains(node.gain, source, name)
                gain, bias = (
                    self.weights.put(self.layouts[name].filled(np.broadcast_to(a, shape)))
                    for a in (gains, np.ldexp(node.bias, self.fractions[name]))
                )
                self._emit(code.AFFINE, source, name, source=self._values_of(source),
                           target=self._values(name), weight=gain, bias=bias)  # fmt: skip
            case Add():
                sources = [self._values_of(each) for each in node.inputs]
                target = self._values(name)
                for number, (each, place) in enumerate(zip(node.inputs, sources, strict=True)):
                    self._emit(code.ADD, source, name, source=place, target=target,
                               first=int(number == 0), unit=self._unit(each, name))  # fmt: skip
            case Concat():
                self._move(name, node.inputs)
            case Reshape():
                if self._absorbed(node):
                    self.alias[name] = source
                else:
                    self._move(name, node.inputs)
            case SumPool():
                self._pool_operations(node)
                if self._read_as_spikes(node, source):
                    self._any_spike(node)
                    return
                self._emit(code.SUM_POOL, source, name, source=self._values_of(source),
                           target=self._values(name), unit=self._unit(source, name),
                           **self._windows(node))  # fmt: skip
            case MaxPool():
                self._gate(node, source)
            case Neuron():
                self._neuron(node, source)
            case Output():
                self._emit(code.OUTPUT, source, name, source=self._values_of(source))
        if self.spec.is_spiking(name) and isinstance(node, Input | MaxPool | Neuron):
            self.program.spikes[name] = self._count(
                name, np.ones(self.layouts[name].pixels, np.int64)
            )
            self._observe(name)

    def _convolution(self, node: Conv) -> None:
        name, source = node.name, node.inputs[0]
        fan = fan_out(self.spec, node)[0].ravel()
        self.program.synops[name] = self._count(source, fan)
        layout = self.layouts[source]
        out, per_group, tall, wide = node.weight.shape
        quick = source in self.as_bits and _is_quick(node)
        area = self._pool_area(source)
        width = self.layouts[name].width
        if quick:
            taps = np.zeros((tall, per_group, wide, width))
            taps[..., :out] = node.weight.transpose(2, 1, 3, 0)
            weight: np.ndarray = taps.reshape(tall * per_group, wide, width)
            self.program.longest = max(
                self.program.longest,
                tall * layout.columns * layout.channels * area + self.layouts[name].columns + wide,
            )
        else:
            grouped = node.weight.reshape(node.groups, out // node.groups, per_group, tall, wide)
            weight = grouped.transpose(0, 2, 3, 4, 1)
        geometry = {
            "kernel_rows": tall, "kernel_columns": wide,
            "stride_rows": node.stride[0], "stride_columns": node.stride[1],
            "top": node.padding[0], "left": node.padding[2],
            "dilation_rows": node.dilation[0], "dilation_columns": node.dilation[1],
            "groups": node.groups,
            "bias": self._bias(node.bias, name),
        }  # fmt: skip
        geometry |= (
            self._rows(weight, name, area, width // 32 * 32)
            if quick
            else {"weight": self.weights.put(self._gains(weight, source, name))}
        )
        if not quick:
            self._emit(code.CONV, source, name, source=self._values_of(source),
                       target=self._values(name), **geometry)  # fmt: skip
            return
        readers = self.spec.readers(name)
        if len(readers) == 1 and isinstance(readers[0], Neuron):
            neuron = self.fused[name] = readers[0]
            geometry |= self._potential(neuron) | {"fires": 1, "target": self._spikes(neuron.name)}
        else:
            geometry["target"] = self._values(name)
        spikes = self.as_bits[source]
        if source in self.pools:
            pool = self.pools[source]
            spikes = self.as_bits[pool.inputs[0]]
            geometry |= self._windows(pool) | {"pooled": self.layouts[pool.inputs[0]].columns}
        self._emit(code.CONV_ROWS, source, name, source=spikes, **geometry)

    def _linear(self, node: Linear, source: str) -> None:
        name, layout, out = node.name, self.layouts[source], self.layouts[node.name]
        fan = np.full(layout.pixels, node.weight.shape[0], np.int64)
        self.program.synops[name] = self._count(source, fan)
        weight = np.zeros((layout.pixels * layout.channels, out.width))
        weight[layout.places(layout.channels), : out.channels] = node.weight.T
        area = self._pool_area(source)
        self.program.longest = max(self.program.longest, len(weight) * area + 1)
        places = {"bias": self._bias(node.bias, name)}
        quick = source in self.as_bits
        places |= (
            self._rows(weight, name, area, out.width // 128 * 128)
            if quick
            else {"weight": self.weights.put(self._gains(weight, source, name))}
        )
        if quick:
            first = np.arange(layout.pixels) * layout.channels
            read = source
            if source in self.pools:
                read = self.pools[source].inputs[0]
                first = _spread(first, self.pools[source], self.layouts[read])
            places["table"] = self.tables.put(first)
            self._emit(code.LINEAR_ROWS, read, name, source=self.as_bits[read],
                       target=self._values(name), **places)  # fmt: skip
        else:
            self._emit(code.LINEAR, source, name, source=self._values_of(source),
                       target=self._values(name), **places)  # fmt: skip

    def _neuron(self, node: Neuron, source: str) -> None:
        if source in self.fused:
            return
        potential = self._potential(node)
        kind = code.NEURON
        if self.spec.is_static(source):
            layout, kind = self.layouts[source], code.NEURON_AHEAD
            potential["estimate"] = self.bits.room(AHEAD * layout.pixels * layout.words)
        self._emit(kind, source, node.name, source=self._values_of(source),
                   target=self._spikes(node.name), **potential)  # fmt: skip

    def _potential(self, node: Neuron) -> dict[str, int]:
        layout = self.layouts[node.name]
        threshold = 2.0 ** self.fractions[node.inputs[0]]
        start = np.full(self.spec.shapes[node.name], node.initial_potential * threshold)
        place = self.program.potentials[node.name] = self.state.put(layout.filled(start))
        mark = self.program.marks[node.name] = len(self.program.marks)
        return {
            "potential": place, "mark": mark, "zeroes": int(node.reset == "zero"),
            "threshold": self._number(threshold),
        }  # fmt: skip

    def _gate(self, node: MaxPool, source: str) -> None:
        name, read, write = node.name, self.layouts[source], self.layouts[node.name]
        self._pool_operations(node)
        places = self._windows(node)
        inputs = read.pixels + write.pixels
        if source not in self.as_bits:
            places["estimate"] = self.state.room(inputs * read.width)
            places["unit"] = self._unit(source, name)
            self._emit(code.RISE_VALUES, source, name, source=self._values_of(source),
                       target=self._values(name), **places)  # fmt: skip
            return
        places |= {"source": self.as_bits[source], "target": self._spikes(name)}
        places["gate"] = code.GATE_CODES[node.gate]
        if node.gate == "rise" and self.steps <= SHORT_COUNTS:
            places["estimate"] = self.counts.room(inputs * -(-read.channels // 32) * 32)
            places["first"] = int(_disjoint(node.rows) and _disjoint(node.columns))
            self._emit(code.RISE, source, name, **places)
        else:
            places["estimate"] = self.estimates.room(inputs * -(-read.channels // 32) * 32)
            self._emit(code.GATE, source, name, **places)

    def _pool_operations(self, node: MaxPool | SumPool) -> None:
        source = node.inputs[0]
        layout = self.layouts[source]
        axes = []
        for windows, size in ((node.rows, layout.rows), (node.columns, layout.columns)):
            seen = np.zeros(size, np.int64)
            for first, last in windows:
                seen[first:last] += 1
            axes.append(seen)
        self.program.pool_operations[node.name] = self._count(source, np.outer(*axes).ravel())

    def _windows(self, node: MaxPool | SumPool) -> dict[str, int]:
        rows, columns = (np.array(windows, np.int64) for windows in (node.rows, node.columns))
        return {"table": self.tables.put(rows), "other_table": self.tables.put(columns)}

    def _rows(self, weight: np.ndarray, name: str, area: int, wide: int) -> dict[str, int]:
        """Weights (rows, ..., channels) of `name` for the fast kernels, with a row of zeros behind
        them: as 16-bit whole numbers of a power of two where all of them are such (half as many
        bytes to move, and the sums are exact), else as they are.

        Each is added `area` times at most, in pairs. Kernels take the channels up to `wide` in
        blocks of 32, the others in blocks of 16.
        """
        rows = np.concatenate([weight, np.zeros_like(weight[:1])])
        largest = int(np.frexp(np.abs(weight).max(initial=0.0))[1])
        exponent = min(14 - largest, self.bits_of[name])
        units = np.ldexp(rows, exponent)
        most = weight[..., 0].size * area
        fits = most <= 1 << 16  # as many of the largest still sum up in 32 bits
        places = {"zero_row": len(weight)}
        if not (fits and abs(exponent) < 64 and np.array_equal(units, np.rint(units))):
            rows = np.ldexp(rows, self.fractions[name])
            return places | {"weight": self.weights.put(rows), "unit": self._number(1)}
        blocks = [32] * (wide // 32) + [16] * ((rows.shape[-1] - wide) // 16)
        starts = np.cumsum([0, *blocks])
        order = [
            s + i for s, block in zip(starts, blocks, strict=False) for i in interleaved(block)
        ]
        unit = self._number(2.0 ** (self.fractions[name] - exponent))
        shorts = self.shorts.put(units[..., order].astype(np.int16))
        return places | {"weight": shorts, "short": 1, "unit": unit}

    def _bias(self, bias: np.ndarray, name: str) -> int:
        bias = np.ldexp(bias, self.fractions[name])
        return self.weights.put(Layout(1, 1, len(bias)).filled(bias))

    def _read_as_spikes(self, node: SumPool, source: str) -> bool:
        """Whether all who read the sums can read the pooled spikes instead, each for its window."""
        if source not in self.as_bits or not (_disjoint(node.rows) and _disjoint(node.columns)):
            return False
        readers: list[Node] = []
        for reader in self.spec.readers(node.name):
            absorbed = isinstance(reader, Reshape) and self._absorbed(reader)
            readers += self.spec.readers(reader.name) if absorbed else [reader]
        return all(
            isinstance(reader, Linear) or (isinstance(reader, Conv) and _is_quick(reader))
            for reader in readers
        )

    def _any_spike(self, node: SumPool) -> None:
        """Which windows hold a spike: each is one event for its readers, however many it holds, as
        a sum that is not 0 is for other readers (`Block` says what an event costs)."""
        name, source = node.name, node.inputs[0]
        self.pools[name] = node
        self._emit(code.GATE, source, name, source=self.as_bits[source], target=self._spikes(name),
                   gate=code.GATE_CODES["spikes"], **self._windows(node))  # fmt: skip

    def _pool_area(self, source: str) -> int:
        """Inputs in the largest window of a pool that is read as spikes; 1 where there is none."""
        if source not in self.pools:
            return 1
        pool = self.pools[source]
        tall, wide = (max(b - a for a, b in axis) for axis in (pool.rows, pool.columns))
        return tall * wide

    def _absorbed(self, node: Reshape) -> bool:
        """Whether only fully connected layers read the reshaped signal: they can read the source
        itself, with their weights in its order."""
        return all(isinstance(reader, Linear) for reader in self.spec.readers(node.name))

    def _move(self, name: str, sources: Iterable[str]) -> None:
        """Concatenation, and other shapes: every unit to its place."""
        spiking = self.spec.is_spiking(name)
        sources = list(sources)
        from_places = [self.as_bits[each] if spiking else self._values_of(each) for each in sources]
        target = self._spikes(name) if spiking else self._values(name)
        write, unit = self.layouts[name], 0
        stride = write.words * WORD if spiking else write.width
        to = write.places(stride)
        for number, (source, place) in enumerate(zip(sources, from_places, strict=True)):
            read = self.layouts[source]
            size = read.channels * read.pixels
            self._emit(
                code.MOVE_BITS if spiking else code.MOVE_VALUES, source, name,
                source=place, target=target, first=int(number == 0),
                unit=self._unit(source, name),
                table=self.tables.put(read.places(read.words * WORD if spiking else read.width)),
                other_table=self.tables.put(to[unit : unit + size]),
            )  # fmt: skip
            unit += size

    def _observe(self, name: str) -> None:
        """Counts and trains of single units, where asked for."""
        node, layout, program = self.spec[name], self.layouts[name], self.program
        if not isinstance(node, Neuron):
            return
        if "counts" in self.keep:
            size = layout.pixels * layout.channels
            place = sum(size for _, size in program.units.values())
            program.units[name] = (place, size)
            self._emit(code.COUNT_UNITS, name, name, source=self.as_bits[name], target=place)
        if name in self.recorded:
            units = np.asarray(self.recorded[name], np.int64)
            place = sum(size for _, size in program.trains.values())
            program.trains[name] = (place, len(units))
            table = self.tables.put(layout.places(layout.words * WORD)[units])
            self._emit(code.RECORD, name, name, source=self.as_bits[name], target=place,
                       table=table, channels=len(units))  # fmt: skip


def _is_quick(node: Conv) -> bool:
    """Whether the fast kernel takes the convolution, if it reads spikes."""
    _, per_group, tall, wide = node.weight.shape
    plain = node.stride == node.dilation == (1, 1) and node.groups == 1
    return plain and wide == 3 and tall * per_group < (1 << 16) - 1


def _spread(values: Numbers, pool: SumPool, layout: Layout) -> Numbers:
    """The value of each window at all its inputs; -1 at inputs that lie in none."""
    spread = np.full((layout.rows, layout.columns), -1)
    windows = iter(values)
    for top, bottom in pool.rows:
        for left, right in pool.columns:
            spread[top:bottom, left:right] = next(windows)
    return spread.ravel()


def _disjoint(windows: Windows) -> bool:
    """Whether no input lies in two windows."""
    return all(last <= first for (_, last), (first, _) in pairwise(windows))
