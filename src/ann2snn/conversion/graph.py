"""The analog network as a graph of the spec's kinds, before scales: what folding works on.

A `Neuron` stands for a ReLU, every number is in the analog network's units, and every scale is 1
but that of a `SumPool`, whose sum times its scale is the average.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ann2snn.numerics.windows import Windows
from ann2snn.spec import Node, Output
from ann2snn.spec.nodes import Array, Shape

ONE: Array = np.ones(())


def window_sizes(rows: Windows, columns: Windows) -> Array:
    """Inputs of every window of a pool, (rows, columns)."""
    tall, wide = ([stop - start for start, stop in windows] for windows in (rows, columns))
    return np.outer(tall, wide).astype(np.float64)


@dataclass
class AnalogGraph:
    """Nodes by name in an order in which each follows its inputs.

    `ceilings`: the largest value of saturating ReLUs. `made`: which node each traced operation
    became, or None. `merged`: where nodes that are gone went, and why; `notes`: why operations
    without a node are none.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    ceilings: dict[str, float] = field(default_factory=dict)
    made: dict[str, tuple[str, ...]] = field(default_factory=dict)
    merged: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Node]:
        return iter(list(self.nodes.values()))

    def add(self, node: Node) -> None:
        """Appends a node whose name is new."""
        assert node.name not in self.nodes, node.name
        self.nodes[node.name] = node

    def fresh_name(self, wanted: str) -> str:
        """`wanted`, or with a number where it is taken: a module called twice."""
        name, count = wanted, 2
        while name in self.nodes or name in self.merged:
            name, count = f"{wanted}.{count}", count + 1
        return name

    def readers(self, name: str) -> list[Node]:
        """The nodes that take this one's signal, once for each time they take it."""
        return [node for node in self.nodes.values() for source in node.inputs if source == name]

    def change(self, name: str, **fields: object) -> None:
        """Gives a node other fields; its place stays."""
        self.nodes[name] = dataclasses.replace(self.nodes[name], **fields)  # type: ignore[arg-type]

    def remove(self, name: str, into: str, reason: str) -> None:
        """Takes out a node with one input: its readers read that input."""
        (source,) = self.nodes.pop(name).inputs
        self.redirect(name, source)
        self.merged[name] = (into, reason)

    def redirect(self, old: str, new: str, *, but: str = "") -> None:
        """Lets all readers of `old`, except `but`, read `new`."""
        for node in self:
            if old in node.inputs and node.name != but:
                inputs = tuple(new if source == old else source for source in node.inputs)
                self.change(node.name, inputs=inputs)

    def insert_after(self, name: str, node: Node) -> None:
        """Puts a node right after `name`."""
        entries = list(self.nodes.items())
        place = list(self.nodes).index(name) + 1
        self.nodes = dict([*entries[:place], (node.name, node), *entries[place:]])

    def swap(self, first: str, second: str) -> None:
        """Makes `first -> second` into `second -> first`; `second` is the only reader of `first`,
        and both keep the shapes that they had places for."""
        order = list(self.nodes)
        upper, lower = self.nodes[first], self.nodes[second]
        self.redirect(second, first, but=second)
        self.change(second, inputs=upper.inputs)
        self.change(first, inputs=(lower.name,))
        order.remove(second)
        order.insert(order.index(first), second)
        self.nodes = {name: self.nodes[name] for name in order}

    def shapes(self) -> dict[str, Shape]:
        """The shape of every node's signal for one image."""
        shapes: dict[str, Shape] = {}
        for node in self:
            shapes[node.name] = node.output_shape([shapes[source] for source in node.inputs])
        return shapes

    @property
    def output(self) -> Output:
        node = next(reversed(self.nodes.values()))
        assert isinstance(node, Output)
        return node
