"""Pooling: sums and maxima over windows."""

from dataclasses import dataclass

import numpy as np

from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.numerics.windows import Windows
from ann2snn.spec.nodes.node import SIGNALS, Cost, Shape, Stateless


@dataclass(frozen=True, eq=False, kw_only=True)
class Pool(Stateless, abstract=True):
    """Windows as half-open ranges of input rows and columns, one for each output row and column."""

    rows: Windows
    columns: Windows

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rows", "columns"):
            windows = tuple((int(first), int(last)) for first, last in getattr(self, name))
            object.__setattr__(self, name, windows)

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        self._require(len(shape) == 3, f"takes an image, got shape {shape}")
        for windows, size in ((self.rows, shape[1]), (self.columns, shape[2])):
            self._require(
                len(windows) > 0 and all(0 <= a < b <= size for a, b in windows),
                f"windows {windows} do not lie in an axis of {size}",
            )
        return shape[0], len(self.rows), len(self.columns)

    @property
    def largest_window(self) -> int:
        """Inputs of the largest window."""
        tall, wide = (max(b - a for a, b in axis) for axis in (self.rows, self.columns))
        return tall * wide

    def cost(self, shape: Shape) -> Cost | None:
        """One operation for each window that the unit lies in."""
        seen = [np.zeros(size, np.int64) for size in shape[1:]]
        for axis, windows in zip(seen, (self.rows, self.columns), strict=True):
            for first, last in windows:
                axis[first:last] += 1
        return "pool_operations", np.broadcast_to(np.outer(*seen), shape)


@dataclass(frozen=True, eq=False, kw_only=True)
class SumPool(Pool):
    """Sum over each window; an average-pool whose division stands in the scale or an `Affine`."""

    def signal(self, inputs: list[str]) -> str:
        return max("graded", inputs[0], key=SIGNALS.index)

    def bound(self, inputs: list[float]) -> float:
        return inputs[0] * self.largest_window


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(Pool):
    """Max-pooling of spikes by a row of `POOLINGS`, which says what each window hands on.

    Of a signal that does not change with time (an analog image) every pooling hands on the maximum;
    signals that do must be spikes, unless the row takes currents.
    """

    pooling: str = "rise"

    mechanisms = (("pooling", POOLINGS),)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            POOLINGS[self.pooling].passes != "",
            f"pooling {self.pooling} is no max-pooling: a SumPool stands in its place",
        )

    def signal(self, inputs: list[str]) -> str:
        return inputs[0]

    def bound(self, inputs: list[float]) -> float:
        return inputs[0]
