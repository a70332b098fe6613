"""From a spec to a program: the operations of each node, in order."""

from collections.abc import Iterable

import numpy as np

from ann2snn.simulation.kernels import operation as code
from ann2snn.simulation.kernels.neurons import AHEAD
from ann2snn.simulation.kernels.operation import WORD
from ann2snn.simulation.kernels.pooling import disjoint, write_gate, write_sums
from ann2snn.simulation.kernels.program import Draft, Program
from ann2snn.simulation.kernels.weighting import is_quick, write_convolution, write_linear
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


class Lowering:
    """Goes through a spec once and writes the operations of each node.

    `fused` are layers of neurons that a convolution lets fire, `alias` names what is read in place
    of a mere other shape of it.
    """

    def __init__(
        self,
        spec: SpikingSpec,
        precision: str,
        steps: int,
        keep: frozenset[str],
        record: dict[str, list[int]],
    ) -> None:
        self.spec, self.steps, self.keep, self.recorded = spec, steps, keep, record
        self.draft = Draft(spec, precision)
        self.fused: set[str] = set()
        self.alias: dict[str, str] = {}

    def lowered(self) -> Program:
        """The program of the whole spec."""
        for node in self.spec:
            if self.spec.is_static(node.name):
                if any(not self.spec.is_static(r.name) for r in self.spec.readers(node.name)):
                    place = self.draft.values(node.name)
                    self.draft.results.statics[node.name] = place
            else:
                self._node(node)
        return self.draft.finished()

    def _node(self, node: Node) -> None:
        draft, name = self.draft, node.name
        source = self.alias.get(node.inputs[0], node.inputs[0]) if node.inputs else name
        match node:
            case Input():
                draft.emit(code.POISSON, name, name, target=draft.spikes(name))
            case Conv():
                neuron = write_convolution(draft, node)
                self.fused |= {neuron.name} if neuron else set()
            case Linear():
                write_linear(draft, node, source)
            case Affine():
                self._affine(node, source)
            case Add():
                sources = [draft.values_of(each) for each in node.inputs]
                target = draft.values(name)
                for number, (each, place) in enumerate(zip(node.inputs, sources, strict=True)):
                    draft.emit(code.ADD, source, name, source=place, target=target,
                               first=int(number == 0), factor=draft.factor(each, name))  # fmt: skip
            case Concat():
                self._move(name, node.inputs)
            case Reshape():
                if self._absorbed(node):
                    self.alias[name] = source
                else:
                    self._move(name, node.inputs)
            case SumPool():
                spikes = self._read_as_spikes(node, source)
                write_sums(draft, node, source, read_as_spikes=spikes)
            case MaxPool():
                write_gate(draft, node, source, self.steps)
            case Neuron():
                if name not in self.fused:
                    self._neuron(node, source)
            case Output():
                draft.emit(code.OUTPUT, source, name, source=draft.values_of(source))
        if self.spec.is_spiking(name) and isinstance(node, Input | MaxPool | Neuron):
            ones = np.ones(draft.layouts[name].pixels, np.int64)
            draft.results.spikes[name] = draft.count(name, ones)
            self._observe(name)

    def _affine(self, node: Affine, source: str) -> None:
        draft, name = self.draft, node.name
        shape = self.spec.shapes[name]
        gain, bias = (
            draft.weights.put(draft.layouts[name].filled(np.broadcast_to(array, shape)))
            for array in (
                draft.gains(node.gain, source, name),
                np.ldexp(node.bias, draft.fractions[name]),
            )
        )
        draft.emit(code.AFFINE, source, name, source=draft.values_of(source),
                   target=draft.values(name), weight=gain, bias=bias)  # fmt: skip

    def _neuron(self, node: Neuron, source: str) -> None:
        draft, kind = self.draft, code.NEURON
        places = draft.potential(node)
        if self.spec.is_static(source):
            layout, kind = draft.layouts[source], code.NEURON_AHEAD
            places["estimate"] = draft.bits.room(AHEAD * layout.pixels * layout.words)
        draft.emit(kind, source, node.name, source=draft.values_of(source),
                   target=draft.spikes(node.name), **places)  # fmt: skip

    def _read_as_spikes(self, node: SumPool, source: str) -> bool:
        """Whether all who read the sums can read the pooled spikes instead, each for its window."""
        if source not in self.draft.as_bits or not disjoint(node):
            return False
        readers: list[Node] = []
        for reader in self.spec.readers(node.name):
            absorbed = isinstance(reader, Reshape) and self._absorbed(reader)
            readers += self.spec.readers(reader.name) if absorbed else [reader]
        return all(
            isinstance(reader, Linear) or (isinstance(reader, Conv) and is_quick(reader))
            for reader in readers
        )

    def _absorbed(self, node: Reshape) -> bool:
        """Whether only fully connected layers read the reshaped signal: they can read the source
        itself, with their weights in its order."""
        return all(isinstance(reader, Linear) for reader in self.spec.readers(node.name))

    def _move(self, name: str, sources: Iterable[str]) -> None:
        """Concatenation, and other shapes: every unit to its place."""
        draft, spiking = self.draft, self.spec.is_spiking(name)
        sources = list(sources)
        from_places = [
            draft.as_bits[each] if spiking else draft.values_of(each) for each in sources
        ]
        target = draft.spikes(name) if spiking else draft.values(name)
        write, unit = draft.layouts[name], 0
        to = write.places(write.words * WORD if spiking else write.width)
        for number, (source, place) in enumerate(zip(sources, from_places, strict=True)):
            read = draft.layouts[source]
            size = read.channels * read.pixels
            draft.emit(
                code.MOVE_BITS if spiking else code.MOVE_VALUES, source, name,
                source=place, target=target, first=int(number == 0),
                factor=1 if spiking else draft.factor(source, name),
                table=draft.tables.put(read.places(read.words * WORD if spiking else read.width)),
                other_table=draft.tables.put(to[unit : unit + size]),
            )  # fmt: skip
            unit += size

    def _observe(self, name: str) -> None:
        """Counts and trains of single units, where asked for."""
        draft, node = self.draft, self.spec[name]
        if not isinstance(node, Neuron):
            return
        layout, results = draft.layouts[name], draft.results
        if "counts" in self.keep:
            size = layout.pixels * layout.channels
            place = sum(size for _, size in results.units.values())
            results.units[name] = (place, size)
            draft.emit(code.COUNT_UNITS, name, name, source=draft.as_bits[name], target=place)
        if name in self.recorded:
            units = np.asarray(self.recorded[name], np.int64)
            place = sum(size for _, size in results.trains.values())
            results.trains[name] = (place, len(units))
            table = draft.tables.put(layout.places(layout.words * WORD)[units])
            draft.emit(code.RECORD, name, name, source=draft.as_bits[name], target=place,
                       table=table, channels=len(units))  # fmt: skip
