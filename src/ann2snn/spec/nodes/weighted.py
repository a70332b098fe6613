"""Nodes with weights: synapses, and gains."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from ann2snn.numerics.exact_sums import fractional_bits, parts
from ann2snn.numerics.windows import Padding, convolved_size
from ann2snn.spec.nodes.node import Array, Cost, Counts, Shape, SpecError, Stateless


@dataclass(frozen=True, eq=False, kw_only=True)
class Weighted(Stateless, abstract=True):
    """Synapses, whose first axis of `weight` are the outputs, and a `bias` per output."""

    weight: Array
    bias: Array

    axes = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        shape, words = self.weight.shape, {2: "two", 4: "four"}[self.axes]
        self._require(self.weight.ndim == self.axes, f"weight has shape {shape}, not {words} axes")
        self._require(self.bias.shape == shape[:1], f"bias has shape {self.bias.shape}")

    def bound(self, inputs: list[float]) -> float:
        sums = [np.abs(part).reshape(len(part), -1).sum(1) for part in parts(self.weight)]
        return float((np.concatenate(sums) * inputs[0] + np.abs(self.bias)).max())

    def fractional_bits(self, inputs: list[int]) -> int:
        return max(inputs[0] + fractional_bits(self.weight), fractional_bits(self.bias))

    def cost(self, shape: Shape) -> Cost | None:
        return "synops", self.fan_out(shape)

    @abstractmethod
    def fan_out(self, shape: Shape) -> Counts:
        """Synapses that leave each input unit, in the `shape` of the input."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(Weighted):
    """Two-dimensional convolution: `weight` (out, in / groups, height, width), `bias` (out,).

    `padding` counts zeros at the top, bottom, left and right.
    """

    stride: tuple[int, int] = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    axes = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            min(*self.stride, *self.dilation, self.groups) > 0 and min(self.padding) >= 0,
            "stride, dilation and groups must be positive, padding not negative",
        )
        self._require(
            self.weight.shape[0] % self.groups == 0,
            f"{self.weight.shape[0]} output channels do not divide into {self.groups} groups",
        )

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        self._require(len(shape) == 3, f"takes an image, got shape {shape}")
        channels = self.weight.shape[1] * self.groups
        self._require(shape[0] == channels, f"takes {channels} channels, got {shape[0]}")
        top, bottom, left, right = self.padding
        try:
            rows, columns = (
                convolved_size(shape[1 + axis], self.weight.shape[2 + axis], self.stride[axis],
                               zeros, self.dilation[axis])
                for axis, zeros in enumerate((top + bottom, left + right))
            )  # fmt: skip
        except ValueError as error:
            raise SpecError(f"{self.name}: {error}") from error
        return self.weight.shape[0], rows, columns

    def fan_out(self, shape: Shape) -> Counts:
        """A unit near a border reaches fewer output positions than one in the middle."""
        _, *outputs = self.output_shape([shape])
        vertical, horizontal = (
            _reach(shape[1 + axis], outputs[axis], self.weight.shape[2 + axis], self.stride[axis],
                   self.padding[2 * axis], self.dilation[axis])
            for axis in (0, 1)
        )  # fmt: skip
        filters = self.weight.shape[0] // self.groups
        return np.broadcast_to(filters * np.outer(vertical, horizontal), shape).copy()


def _reach(size: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> Counts:
    """How many output positions of one axis see each input position."""
    reach = np.zeros(size, np.int64)
    for tap in range(kernel):
        seen = np.arange(count) * stride - padding + tap * dilation
        reach[seen[(seen >= 0) & (seen < size)]] += 1
    return reach


@dataclass(frozen=True, eq=False, kw_only=True)
class Linear(Weighted):
    """`weight` (out, in) times the features, plus `bias` (out,)."""

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        self._require(
            shape == self.weight.shape[1:], f"takes {self.weight.shape[1]} features, got {shape}"
        )
        return self.weight.shape[:1]

    def fan_out(self, shape: Shape) -> Counts:
        return np.full(shape, self.weight.shape[0], np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Stateless):
    """`gain` times the signal plus `bias`, each of a shape that broadcasts to the signal's."""

    gain: Array
    bias: Array

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        for array in (self.gain, self.bias):
            try:
                fits = np.broadcast_shapes(array.shape, shape) == shape
            except ValueError:
                fits = False
            self._require(fits, f"gain or bias {array.shape} does not broadcast to {shape}")
        return shape

    def bound(self, inputs: list[float]) -> float:
        return float(np.abs(self.gain).max() * inputs[0] + np.abs(self.bias).max())

    def fractional_bits(self, inputs: list[int]) -> int:
        return max(inputs[0] + fractional_bits(self.gain), fractional_bits(self.bias))
