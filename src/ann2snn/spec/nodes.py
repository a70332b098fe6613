"""The kinds of node that a spiking network is made of.

Units: membrane potential, current and converted weights in units of the threshold, which is 1; time
in steps. A node's signal is what it hands on in one step:

- spikes: 0 or 1 (`Neuron`; `Input` with Poisson coding; `MaxPool` over spikes);
- graded events: whole numbers (`SumPool` over spikes);
- current: any signed number (`Conv`, `Linear`, `Affine`, `Add`, analog `Input`). What carries no
  ReLU in the analog network is a current; only a ReLU makes a `Neuron`.

`scale` translates back: signal x scale, averaged over steps, is the activation of the analog
network. It is one number for the node or one per channel (per feature after a flatten).

Images are channels x height x width; one-dimensional data has height 1; flat data is features.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.numerics.windows import Padding, Windows, convolved_size
from ann2snn.tables import Table, UnknownRowError

Array = npt.NDArray[np.float64]
Shape = tuple[int, ...]

ARRAYS = ("scale", "weight", "bias", "gain")


class SpecError(ValueError):
    """A node or a graph that cannot be; the message names the node and the rule."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """What all kinds share. `scale` has shape () or (channels,)."""

    name: str
    inputs: tuple[str, ...]
    scale: Array

    arity: ClassVar[int | None] = 1
    linear: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name in ARRAYS:
                array = np.asarray(getattr(self, field.name), np.float64)
                object.__setattr__(self, field.name, array)
        if not self.name:
            raise SpecError("a node needs a name")
        if self.arity is not None and len(self.inputs) != self.arity:
            raise SpecError(f"{self.name}: takes {self.arity} inputs, got {len(self.inputs)}")
        if self.scale.ndim > 1 or not (np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise SpecError(f"{self.name}: scale must be positive and finite, one or one a channel")

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()

    def output_shape(self, shapes: list[Shape]) -> Shape:
        """Shape of the signal for one image.

        Raises:
            SpecError: the inputs do not fit this node.
        """
        raise NotImplementedError

    def _choose(self, table: Table[Any], name: str) -> None:
        """Holds a field to the rows of its table."""
        try:
            table[name]
        except UnknownRowError as error:
            raise SpecError(f"{self.name}: {error}") from error

    def _require(self, rule: bool, message: str) -> None:
        if not rule:
            raise SpecError(f"{self.name}: {message}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Node):
    """The image. Analog: the pixel is a current, the same in every step. Poisson: a pixel spikes in
    a step with its own value as probability, so it must lie in [0, 1]."""

    shape: Shape
    input: str = "analog"

    arity: ClassVar[int | None] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._choose(INPUTS, self.input)
        self._require(
            len(self.shape) in (1, 3) and min(self.shape) > 0,
            f"an image is channels x height x width, or features, got {self.shape}",
        )

    def output_shape(self, shapes: list[Shape]) -> Shape:  # noqa: ARG002 (it has no inputs)
        return self.shape


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(Node):
    """Two-dimensional convolution: `weight` (out, in / groups, height, width), `bias` (out,).

    `padding` counts zeros at the top, bottom, left and right.
    """

    weight: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    padding: Padding = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.weight.ndim == 4, f"weight has shape {self.weight.shape}, not four axes")
        self._require(self.bias.shape == self.weight.shape[:1], f"bias has shape {self.bias.shape}")
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
        out, per_group, *kernel = self.weight.shape
        self._require(
            shape[0] == per_group * self.groups,
            f"takes {per_group * self.groups} channels, got {shape[0]}",
        )
        top, bottom, left, right = self.padding
        try:
            height = convolved_size(
                shape[1], kernel[0], self.stride[0], top + bottom, self.dilation[0]
            )
            width = convolved_size(
                shape[2], kernel[1], self.stride[1], left + right, self.dilation[1]
            )
        except ValueError as error:
            raise SpecError(f"{self.name}: {error}") from error
        return out, height, width


@dataclass(frozen=True, eq=False, kw_only=True)
class Linear(Node):
    """`weight` (out, in) times the features, plus `bias` (out,)."""

    weight: Array
    bias: Array

    linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(self.weight.ndim == 2, f"weight has shape {self.weight.shape}, not two axes")
        self._require(self.bias.shape == self.weight.shape[:1], f"bias has shape {self.bias.shape}")

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        self._require(
            shape == self.weight.shape[1:], f"takes {self.weight.shape[1]} features, got {shape}"
        )
        return self.weight.shape[:1]


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Node):
    """`gain` times the signal plus `bias`, each of a shape that broadcasts to the signal's."""

    gain: Array
    bias: Array

    linear: ClassVar[bool] = True

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        for array in (self.gain, self.bias):
            try:
                fits = np.broadcast_shapes(array.shape, shape) == shape
            except ValueError:
                fits = False
            self._require(fits, f"gain or bias {array.shape} does not broadcast to {shape}")
        return shape


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Node):
    """Sum of signals of one shape and one scale."""

    arity: ClassVar[int | None] = None
    linear: ClassVar[bool] = True

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(len(shapes) >= 1, "takes at least one input")
        self._require(len(set(shapes)) == 1, f"inputs have different shapes: {shapes}")
        return shapes[0]


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Node):
    """Signals one after another along the channels (or features)."""

    arity: ClassVar[int | None] = None
    linear: ClassVar[bool] = True

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(len(shapes) >= 1, "takes at least one input")
        self._require(len({shape[1:] for shape in shapes}) == 1, f"inputs do not align: {shapes}")
        return sum(shape[0] for shape in shapes), *shapes[0][1:]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Node):
    """The same numbers in row-major order under another shape."""

    shape: Shape

    linear: ClassVar[bool] = True

    def output_shape(self, shapes: list[Shape]) -> Shape:
        self._require(
            math.prod(shapes[0]) == math.prod(self.shape),
            f"{shapes[0]} does not reshape to {self.shape}",
        )
        return self.shape


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pool(Node):
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


@dataclass(frozen=True, eq=False, kw_only=True)
class SumPool(_Pool):
    """Sum over each window; an average-pool whose division stands in the scale or an `Affine`."""

    linear: ClassVar[bool] = True


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(_Pool):
    """Max-pooling by spikes, whose estimates include the current step; of equals the first in
    row-major order wins.

    With x_i(t) the signal of input i and C_i(t) its sum over the steps up to t, the pool hands on
    - rise: the growth of max_i C_i, so that its own sum equals max_i C_i(t) at every t;
    - inverse_time: x_w(t) of the input w with the largest sum of x_i(s) / s (the authors' default),
      1/s in whole units of 2^-27, rounded down;
    - running_mean: x_w(t) of the input with the largest C_i;
    - exponential: x_w(t) of the input with the largest rho_i, where rho <- rho - floor(rho / 16)
      + 2^20 x_i(t);
    - spikes: max_i x_i(t), which inflates rates.
    All but `rise` take spikes, or a signal that does not change with time (an analog image), of
    which every pooling hands on the maximum.
    """

    pooling: str = "rise"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._choose(POOLINGS, self.pooling)
        self._require(
            POOLINGS[self.pooling].passes != "",
            f"pooling {self.pooling} is no max-pooling: a SumPool stands in its place",
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Neuron(Node):
    """Integrate-and-fire neurons with threshold 1, at most one spike a step.

    V <- V + current; a spike where V >= 1; then V <- V - 1 (reset by subtraction) or V <- 0 (reset
    to zero) where it spiked. V starts at `initial_potential`.

    `saturating` is the share of the layer's calibration activations above `scale`, which a rate of
    one spike a step cannot express.
    """

    reset: str = "subtract"
    initial_potential: float = 0.0
    saturating: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._choose(RESETS, self.reset)
        self._require(
            0 <= self.initial_potential < 1,
            f"initial_potential must be in [0, 1), got {self.initial_potential}",
        )

    def output_shape(self, shapes: list[Shape]) -> Shape:
        return shapes[0]


@dataclass(frozen=True, eq=False, kw_only=True)
class Output(Node):
    """The classes. All three read-outs can be taken from one run; `output` names the answer.

    - potential: argmax of the accumulated signal.
    - softmax: the signal accumulates; in each step an external clock ticks with probability
      `clock_rate`, and at a tick one class spikes: the argmax of the potentials, which then return
      to 0 (`draw` false, the authors' 2016 code), or one drawn from softmax(scale x potential),
      without reset (`draw` true, 2017). The answer is the class with most spikes.
    - count: the classes are neurons of their own (threshold 1, reset as `reset`) that start at 0;
      most spikes wins.
    In softmax and count, an image without any output spike has no answer and counts as wrong; of
    equals the first class wins.
    """

    output: str = "softmax"
    clock_rate: float = 0.3
    draw: bool = False
    reset: str = "subtract"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._choose(OUTPUTS, self.output)
        self._choose(RESETS, self.reset)
        self._require(0 < self.clock_rate <= 1, f"clock_rate must be in (0, 1]: {self.clock_rate}")

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        self._require(len(shape) == 1, f"classes are a flat signal, got shape {shape}")
        return shape


KINDS: dict[str, type[Node]] = {
    kind.__name__.lower(): kind
    for kind in (
        Input, Conv, Linear, Affine, Add, Concat, Reshape, SumPool, MaxPool, Neuron, Output,
    )
}  # fmt: skip
