"""Nodes that join signals or only move them, without a weight."""

import math
from dataclasses import dataclass

from ann2snn.spec.nodes.node import SIGNALS, Shape, Stateless


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Stateless):
    """Sum of signals of one shape and one scale."""

    arity = None

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(len(shapes) >= 1, "takes at least one input")
        self._require(len(set(shapes)) == 1, f"inputs have different shapes: {shapes}")
        return shapes[0]

    def bound(self, inputs: list[float]) -> float:
        return float(sum(inputs))


@dataclass(frozen=True, eq=False, kw_only=True)
class Moving(Stateless, abstract=True):
    """Numbers of the inputs in other places."""

    moves = True

    def signal(self, inputs: list[str]) -> str:
        return max(inputs, key=SIGNALS.index)

    def bound(self, inputs: list[float]) -> float:
        return max(inputs)


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Moving):
    """Signals one after another along the channels (or features)."""

    arity = None

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(len(shapes) >= 1, "takes at least one input")
        self._require(len({shape[1:] for shape in shapes}) == 1, f"inputs do not align: {shapes}")
        return sum(shape[0] for shape in shapes), *shapes[0][1:]


@dataclass(frozen=True, eq=False, kw_only=True)
class Select(Moving):
    """Some channels (or features) of its inputs, in any order: `channels` are their numbers where
    the inputs stand one after another, as in a `Concat`. A channel may stand twice."""

    channels: tuple[int, ...]

    arity = None

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(len(shapes) >= 1, "takes at least one input")
        self._require(len({shape[1:] for shape in shapes}) == 1, f"inputs do not align: {shapes}")
        count = sum(shape[0] for shape in shapes)
        self._require(len(self.channels) >= 1, "selects at least one channel")
        self._require(
            min(self.channels) >= 0 and max(self.channels) < count,
            f"channels must lie in [0, {count}), got {min(self.channels)} to {max(self.channels)}",
        )
        return len(self.channels), *shapes[0][1:]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Moving):
    """The same numbers in row-major order under another shape."""

    shape: Shape

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(
            min(self.shape, default=0) > 0 and math.prod(shapes[0]) == math.prod(self.shape),
            f"{shapes[0]} does not reshape to {self.shape}",
        )
        return self.shape
