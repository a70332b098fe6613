"""From a spec to a program: the operations of each node, in order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ann2snn.simulation.event import operations as code
from ann2snn.simulation.event.layout import Numbers, bit_tables
from ann2snn.simulation.event.operations import WORD
from ann2snn.simulation.event.pool_lowering import disjoint, write_max_pool, write_sums
from ann2snn.simulation.event.program import Draft, Program
from ann2snn.simulation.event.weight_lowering import (
    is_quick,
    write_convolution,
    write_current,
    write_linear,
)
from ann2snn.spec import SpikingSpec, nodes
from ann2snn.spec.interpretation import Interpretation

# a source, some of its channels, and where each of them goes
Moved = tuple[str, Numbers, Numbers]


class Lowering:
    """Goes through a spec once and writes the operations of each node.

    `fused` are layers of neurons that a convolution lets fire, `alias` names what is read in place
    of a mere other shape of it.
    """

    def __init__(
        self,
        spec: SpikingSpec,
        precision: str,
        long: bool,
        keep: frozenset[str],
        record: dict[str, list[int]],
    ) -> None:
        self.spec, self.keep, self.recorded = spec, keep, record
        self.draft = Draft(spec, precision, long=long)
        self.fused: set[str] = set()
        self.alias: dict[str, str] = {}

    def lowered(self) -> Program:
        """The program of the whole spec."""
        for node in self.spec:
            if self.spec.is_static(node.name):
                readers = [
                    r for r in self.spec.readers(node.name) if not self.spec.is_static(r.name)
                ]
                if readers:
                    write_current(self.draft, node)
                if any(not isinstance(reader, nodes.Neuron) for reader in readers):
                    place = self.draft.as_values[node.name]
                    self.draft.emit(code.SPREAD, node.name, node.name, source=place)
            else:
                source = node.inputs[0] if node.inputs else node.name
                LOWERINGS[node](self, node, self.alias.get(source, source))
                if self.spec.sends_spikes(node):
                    self.draft.count_spikes(node.name)
                    self.observe(node.name)
        return self.draft.finished()

    def read_as_spikes(self, node: nodes.SumPool, source: str) -> bool:
        """Whether all who read the sums can read the pooled spikes instead, each for its window,
        or a fully connected layer for all its windows."""
        draft = self.draft
        if source not in draft.as_bits or draft.takes_back(source) or draft.spec.is_burst(source):
            return False
        readers: list[nodes.Node] = []
        for reader in self.spec.readers(node.name):
            absorbed = isinstance(reader, nodes.Reshape) and self.absorbed(reader)
            readers += self.spec.readers(reader.name) if absorbed else [reader]
        return all(
            isinstance(reader, nodes.Linear)
            or (isinstance(reader, nodes.Conv) and is_quick(reader) and disjoint(node))
            for reader in readers
        )

    def absorbed(self, node: nodes.Reshape) -> bool:
        """Whether only fully connected layers read the reshaped signal: they can read the source
        itself, with their weights in its order."""
        return all(isinstance(reader, nodes.Linear) for reader in self.spec.readers(node.name))

    def move(self, name: str, channels: list[Moved], **one_pixel: int) -> None:
        """Concatenation, selection, and other shapes: channels of each source to channels of
        `name`, in every pixel, or in the `one_pixel` that is the whole image."""
        draft, spiking = self.draft, self.spec.is_spiking(name)
        from_places = [
            draft.as_bits[each] if spiking else draft.values_of(each) for each, _, _ in channels
        ]
        target = draft.spikes(name) if spiking else draft.values(name)
        for number, ((source, taken, to), place) in enumerate(
            zip(channels, from_places, strict=True)
        ):
            words = one_pixel.get("words", draft.layouts[source].words)
            tables = bit_tables(words, taken, to) if spiking else (taken, to)
            draft.emit(
                code.MOVE_BITS if spiking else code.MOVE_VALUES, source, name,
                source=place, target=target, first=int(number == 0),
                factor=1 if spiking else draft.factor(source, name),
                table=draft.tables.put(tables[0]), other_table=draft.tables.put(tables[1]),
                **one_pixel | {"channels": len(taken)},
            )  # fmt: skip

    def observe(self, name: str) -> None:
        """Counts and trains of single units, where asked for."""
        draft, node = self.draft, self.spec[name]
        if not isinstance(node, nodes.Neuron):
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


# writes the operations of a node that changes with time, which reads `source`: its first input, or
# the signal that this is another shape of
LOWERINGS: Interpretation[Callable[[Lowering, Any, str], None]] = Interpretation("event lowering")
LOWERINGS.of(nodes.Linear)(lambda to, node, source: write_linear(to.draft, node, source))
LOWERINGS.of(nodes.MaxPool)(lambda to, node, source: write_max_pool(to.draft, node, source))


@LOWERINGS.of(nodes.Input)
def _input(to: Lowering, node: nodes.Input, _source: str) -> None:
    name = node.name
    to.draft.emit(code.INPUTS[node.input], name, name, target=to.draft.spikes(name))


@LOWERINGS.of(nodes.Conv)
def _conv(to: Lowering, node: nodes.Conv, _source: str) -> None:
    neuron = write_convolution(to.draft, node)
    to.fused |= {neuron.name} if neuron else set()


@LOWERINGS.of(nodes.Affine)
def _affine(to: Lowering, node: nodes.Affine, source: str) -> None:
    draft, name = to.draft, node.name
    gain, bias = (
        draft.weights.put(
            draft.layouts[name].filled(np.broadcast_to(array, draft.spec.shapes[name]))
        )
        for array in (
            draft.gains(node.gain, source, name),
            np.ldexp(node.bias, draft.fractions[name]),
        )
    )
    draft.emit(code.AFFINE, source, name, source=draft.values_of(source),
               target=draft.values(name), weight=gain, bias=bias)  # fmt: skip


@LOWERINGS.of(nodes.Add)
def _add(to: Lowering, node: nodes.Add, source: str) -> None:
    draft, name = to.draft, node.name
    sources = [draft.values_of(each) for each in node.inputs]
    target = draft.values(name)
    for number, (each, place) in enumerate(zip(node.inputs, sources, strict=True)):
        draft.emit(code.ADD, source, name, source=place, target=target,
                   first=int(number == 0), factor=draft.factor(each, name))  # fmt: skip


@LOWERINGS.of(nodes.Concat)
def _concat(to: Lowering, node: nodes.Concat, _source: str) -> None:
    sizes = [to.draft.layouts[each].channels for each in node.inputs]
    every = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    to.move(node.name, [(s, c - c[0], c) for s, c in zip(node.inputs, every, strict=True)])


@LOWERINGS.of(nodes.Select)
def _select(to: Lowering, node: nodes.Select, _source: str) -> None:
    """A move sends a channel to one place: those that stand more than once take several."""
    chosen, ends = np.array(node.channels), [0]
    again = np.array([node.channels[:i].count(c) for i, c in enumerate(node.channels)])
    moved: list[Moved] = []
    for source in node.inputs:
        ends.append(ends[-1] + to.draft.layouts[source].channels)
        own = (chosen >= ends[-2]) & (chosen < ends[-1])
        for time in np.unique(again[own]):
            places = np.flatnonzero(own & (again == time))
            moved.append((source, chosen[places] - ends[-2], places))
    to.move(node.name, moved)


@LOWERINGS.of(nodes.Reshape)
def _reshape(to: Lowering, node: nodes.Reshape, source: str) -> None:
    if to.absorbed(node):
        to.alias[node.name] = source
        return
    (before,), name = node.inputs, node.name
    read, write = to.draft.layouts[before], to.draft.layouts[name]
    words, spiking = read.words * read.pixels, to.spec.is_spiking(name)
    taken = read.places(read.words * WORD if spiking else read.width)
    places = write.places(write.words * WORD if spiking else write.width)
    to.move(name, [(before, taken, places)], rows=1, columns=1, words=words)


@LOWERINGS.of(nodes.SumPool)
def _sum_pool(to: Lowering, node: nodes.SumPool, source: str) -> None:
    write_sums(to.draft, node, source, read_as_spikes=to.read_as_spikes(node, source))


@LOWERINGS.of(nodes.Neuron)
def _neuron(to: Lowering, node: nodes.Neuron, source: str) -> None:
    if node.name in to.fused:
        return
    draft = to.draft
    draft.emit(code.NEURON, source, node.name, source=draft.values_of(source),
               target=draft.spikes(node.name), static=int(to.spec.is_static(source)),
               **draft.potential(node))  # fmt: skip


@LOWERINGS.of(nodes.Output)
def _output(to: Lowering, node: nodes.Output, source: str) -> None:
    to.draft.emit(code.OUTPUT, source, node.name, source=to.draft.values_of(source))
