"""The analog network as a graph of the spec's kinds of node, in the analog network's units.

A `Neuron` stands for a ReLU. Every scale is 1, except that of a `SumPool`: the sum times its scale
is the average.
"""

import dataclasses
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from ann2snn.numerics.windows import Windows
from ann2snn.spec import Conv, Linear, Node
from ann2snn.spec.nodes import Array, Shape

ONE: Array = np.ones(())


def window_sizes(rows: Windows, columns: Windows) -> Array:
    """Numbers of inputs in every window of a pool (rows, columns)."""
    tall, wide = ([stop - start for start, stop in windows] for windows in (rows, columns))
    return np.outer(tall, wide).astype(np.float64)


def along(values: Array, axes: int) -> Array:
    """One number, or one per channel, shaped to multiply a signal of `axes` axes."""
    return values.reshape(-1, *[1] * (axes - 1)) if values.ndim else values


def per_input(node: Conv | Linear, values: Array) -> Array:
    """One value per input channel, in a shape that multiplies the node's weight."""
    if isinstance(node, Linear):
        return np.broadcast_to(values, node.weight.shape[1:])[None, :]
    outputs, width = node.weight.shape[:2]
    groups = np.arange(outputs) // (outputs // node.groups)
    channels = groups[:, None] * width + np.arange(width)
    chosen: Array = np.broadcast_to(values, (width * node.groups,))[channels]
    return chosen[:, :, None, None]


@dataclass
class AnalogGraph:
    """Nodes by name, in an order in which each follows its inputs.

    - `precision`: number format of the network's parameters.
    - `ceilings`: largest value of each saturating ReLU.
    - `levels`: into how many steps of equal size a quantized ReLU divides its ceiling.
    - `made`: the nodes that each traced operation became.
    - `merged`: for each node that is gone, the nodes that took it in, and why.
    - `notes`: for each operation without a node, why it has none.
    - `ending`: what the module does to the outputs (N, classes) at last, which changes no answer.
    """

    precision: torch.dtype = torch.float32

    nodes: dict[str, Node] = field(default_factory=dict)
    ceilings: dict[str, float] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    made: dict[str, tuple[str, ...]] = field(default_factory=dict)
    merged: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    ending: Callable[[torch.Tensor], torch.Tensor] | None = None

    def __iter__(self) -> Iterator[Node]:
        return iter(list(self.nodes.values()))

    def add(self, node: Node) -> None:
        """Appends a node whose name is new."""
        assert node.name not in self.nodes, node.name
        self.nodes[node.name] = node

    def fresh_name(self, wanted: str, taken: Container[str] = ()) -> str:
        """`wanted`, with a number where the name is taken, as by a module that is called twice."""
        name, count = wanted, 2
        while name in self.nodes or name in self.merged or name in taken:
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
