"""A spiking network as an inert, self-checking graph."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.numerics.exact_sums import on_grid
from ann2snn.spec.nodes import Node, Shape, SpecError
from ann2snn.spec.nodes.ends import Input, Output
from ann2snn.spec.nodes.neuron import Neuron
from ann2snn.spec.nodes.pools import MaxPool

Found = TypeVar("Found")
UNIT_RANGE = (0.0, 1.0)

FINEST_GRID = 64
MOST_LEVELS = 2**31 - 1
MOST_STEPS = 100_000
MOST_UNITS = 2**28
"""Units of one node; a signal of that many takes a gigabyte."""


@dataclass(frozen=True, eq=False, repr=False)
class SpikingSpec:
    """Nodes in an order in which every node follows its inputs: one `Input` first, one `Output`
    last, each other node used. Prints itself as a table, a line per node.

    `grid`: static currents (those of an analog image) are rounded to multiples of 2^-grid, and
    weights and biases are such multiples; None leaves all as they are. `levels`: an image given as
    whole numbers k stands for pixels k / levels. `for_steps`: the number of steps that scales or
    calibration were made for; 0 for any. `pixels` is the range of the calibration images' pixels,
    at least [0, 1].

    Raises:
        SpecError: the graph or a node cannot be.
    """

    nodes: tuple[Node, ...]
    grid: int | None = None
    levels: int = 255
    for_steps: int = 0
    pixels: tuple[float, float] = UNIT_RANGE
    shapes: dict[str, Shape] = field(init=False)

    def __post_init__(self) -> None:
        shapes: dict[str, Shape] = {}
        used: set[str] = set()
        for name, value, low, high in (
            ("grid", 0 if self.grid is None else self.grid, 0, FINEST_GRID),
            ("levels", self.levels, 1, MOST_LEVELS),
            ("for_steps", self.for_steps, 0, MOST_STEPS),
        ):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not low <= value <= high:
                raise SpecError(f"{name} must be a whole number in [{low}, {high}], got {value!r}")
        for node in self.nodes:
            if node.name in shapes:
                raise SpecError(f"{node.name}: stands twice")
            for name in node.inputs:
                if name not in shapes:
                    raise SpecError(f"{node.name}: its input {name} does not stand before it")
            shape = node.output_shape([shapes[name] for name in node.inputs])
            if math.prod(shape) > MOST_UNITS:
                raise SpecError(
                    f"{node.name}: shape {shape} has more than {MOST_UNITS} units, the most that"
                    " a node may have"
                )
            if node.scale.shape not in ((), shape[:1]):
                raise SpecError(f"{node.name}: scale {node.scale.shape} does not fit {shape}")
            for name, array in arrays_of(node).items():
                if not np.isfinite(array).all():
                    raise SpecError(f"{node.name}: {name} is not finite")
                if self.grid is not None and name != "scale" and not on_grid(array, self.grid):
                    raise SpecError(f"{node.name}: {name} is off the grid of 2^-{self.grid}")
            shapes[node.name] = shape
            used.update(node.inputs)
        ends = [type(node) for node in self.nodes if isinstance(node, Input | Output)]
        if ends != [Input, Output] or [type(self.nodes[0]), type(self.nodes[-1])] != ends:
            raise SpecError("a spec begins with its one input and ends with its one output")
        for node in self.nodes[:-1]:
            if node.name not in used:
                raise SpecError(f"{node.name}: nothing reads it")
        if not -math.inf < self.pixels[0] <= 0 < 1 <= self.pixels[1] < math.inf:
            raise SpecError(f"pixels must be a finite range around [0, 1], got {self.pixels}")
        object.__setattr__(self, "shapes", shapes)
        for node in self.nodes:
            if isinstance(node, MaxPool) and not POOLINGS[node.pooling].currents:
                source = node.inputs[0]
                if not (self.is_static(source) or self.signal(source) == "spikes"):
                    fit = " or ".join(row.name for row in POOLINGS.values() if row.currents)
                    raise SpecError(
                        f"{node.name}: pooling {node.pooling} takes binary spikes, got a"
                        f" signal of kind {self.signal(source)}; use {fit}"
                    )

    def __repr__(self) -> str:
        names = ", ".join(node.name for node in self.nodes)
        made = f", for_steps={self.for_steps}" if self.for_steps else ""
        return f"SpikingSpec({names}; grid={self.grid}, levels={self.levels}{made})"

    def __str__(self) -> str:
        from ann2snn.spec.table import table

        return table(self)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def input(self) -> Input:
        node = self.nodes[0]
        assert isinstance(node, Input)
        return node

    @property
    def output(self) -> Output:
        node = self.nodes[-1]
        assert isinstance(node, Output)
        return node

    @property
    def classes(self) -> int:
        return self.shapes[self.output.name][0]

    @property
    def neurons(self) -> int:
        """Neurons of one image; the output's and the input's are not among them."""
        return sum(math.prod(self.shapes[n.name]) for n in self.nodes if isinstance(n, Neuron))

    def through(self, rule: Callable[[Node, list[Found]], Found]) -> dict[str, Found]:
        """The results of `rule` by node, from the node and the results for its inputs."""
        found: dict[str, Found] = {}
        for node in self.nodes:
            found[node.name] = rule(node, [found[name] for name in node.inputs])
        return found

    @cached_property
    def _static(self) -> dict[str, bool]:
        return self.through(lambda node, inputs: node.is_static(inputs))

    @cached_property
    def _signals(self) -> dict[str, str]:
        return self.through(lambda node, inputs: node.signal(inputs))

    def is_static(self, name: str) -> bool:
        """Whether the signal is the same in every step: nothing between it and an analog image
        keeps a state."""
        return self._static[name]

    def signal(self, name: str) -> str:
        """The kind of signal that the node hands on, one of `SIGNALS`."""
        return self._signals[name]

    def is_spiking(self, name: str) -> bool:
        """Whether the signal is of spikes in every step: 0, 1, -1 or 2."""
        return self.signal(name) in ("spikes", "signed", "burst")

    def is_signed(self, name: str) -> bool:
        """Whether the signal is of spikes, some of which may be -1."""
        return self.signal(name) in ("signed", "burst")

    def is_burst(self, name: str) -> bool:
        """Whether the signal is of spikes, some of which may be 2."""
        return self.signal(name) == "burst"

    def sends_spikes(self, node: Node) -> bool:
        """Whether the node hands on spikes that are counted as its own."""
        return self.is_spiking(node.name) and not node.moves

    def readers(self, name: str) -> tuple[Node, ...]:
        """The nodes that take this one's signal."""
        return tuple(node for node in self.nodes if name in node.inputs)

    def replace(self, name: str, **changes: object) -> "SpikingSpec":
        """A copy in which one node has other fields."""
        nodes = tuple(
            dataclasses.replace(node, **changes) if node.name == name else node  # type: ignore[arg-type]
            for node in self.nodes
        )
        return dataclasses.replace(self, nodes=nodes)


def arrays_of(node: Node) -> dict[str, np.ndarray]:
    """The arrays of a node by field name, its scale among them."""
    values = {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
