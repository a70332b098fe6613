"""The description that every kind of node gives of itself, and the kinds there are.

Units: membrane potential, current and converted weights in units of the threshold, which is 1; time
in steps. A node's signal is what it hands on in one step:

- spikes: 0 or 1; signed: -1, 0 or 1; burst: -1, 0, 1 or 2 (`Neuron`; `Input` with Poisson input;
  `MaxPool` over spikes);
- graded: whole numbers (`SumPool` over spikes);
- current: any signed number (`Conv`, `Linear`, `Affine`, `Add`, analog `Input`). A signal that
  carries no ReLU in the analog network is a current; only a ReLU makes a `Neuron`.

`scale` translates back: signal x scale, averaged over steps, is the activation of the analog
network. It is one number for the node or one per channel (per feature after a flatten).

Images are channels x height x width; one-dimensional data has height 1; flat data is features.
"""

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ann2snn.tables import Table, UnknownRowError

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Shape = tuple[int, ...]
Cost = tuple[str, Counts]

ARRAYS = ("scale", "weight", "bias", "gain")
SIGNALS = (
    "spikes",
    "signed",
    "burst",
    "graded",
    "current",
)  # a signal that joins several is the last of theirs


def written_unless(default: Any) -> Any:
    """A field that a spec's file leaves out at its default: it is newer than files are."""
    return dataclasses.field(default=default, metadata={"unwritten": default})


class SpecError(ValueError):
    """A node or a graph that cannot be; the message names the node and the rule."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Node(ABC):
    """The part that all kinds share. `scale` has shape () or (channels,).

    `mechanisms` are the fields that name a row, with its table. `moves` says that the node hands on
    the spikes of others in other places, which are counted where they are sent. A subclass is a
    kind of node, under its name in small letters, unless it says that it is abstract.
    """

    name: str
    inputs: tuple[str, ...]
    scale: Array

    arity: ClassVar[int | None] = 1
    mechanisms: ClassVar[tuple[tuple[str, Table[Any]], ...]] = ()
    moves: ClassVar[bool] = False

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        super().__init_subclass__()
        kind = cls.__name__.lower()
        if not abstract:
            assert kind not in KINDS, f"there are two kinds of node {kind!r}"
            KINDS[kind] = cls

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
            raise SpecError(
                f"{self.name}: scale must be positive and finite, one or one per channel"
            )
        for name, table in self.mechanisms:
            try:
                table[getattr(self, name)]
            except UnknownRowError as error:
                raise SpecError(f"{self.name}: {error}") from error

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()

    @abstractmethod
    def output_shape(self, shapes: list[Shape]) -> Shape:
        """Shape of the signal for one image.

        Raises:
            SpecError: the inputs do not fit this node.
        """

    @abstractmethod
    def signal(self, inputs: list[str]) -> str:
        """One of `SIGNALS`, from those of the inputs."""

    @abstractmethod
    def is_static(self, inputs: list[bool]) -> bool:
        """Whether the signal is the same in every step, from whether those of the inputs are."""

    @abstractmethod
    def bound(self, inputs: list[float]) -> float:
        """The largest |signal| and |partial sum| of one step, from those of the inputs."""

    @abstractmethod
    def fractional_bits(self, inputs: list[int]) -> int:
        """A k for which the signal is always a multiple of 2^-k, from those of the inputs."""

    @abstractmethod
    def cost(self, shape: Shape) -> Cost | None:
        """The operations that an event at each unit of the input costs, in the input's `shape`, and
        their name, `synops` or `pool_operations`; None where events cost nothing."""

    def _require(self, rule: bool, message: str) -> None:
        if not rule:
            raise SpecError(f"{self.name}: {message}")


KINDS: dict[str, type[Node]] = {}


@dataclass(frozen=True, eq=False, kw_only=True)
class Stateless(Node, abstract=True):
    """Nodes that keep nothing from step to step; the signal is a current unless the kind says more,
    and events cost nothing."""

    def signal(self, inputs: list[str]) -> str:  # noqa: ARG002 (a current of whatever signals)
        return "current"

    def is_static(self, inputs: list[bool]) -> bool:
        return all(inputs)

    def fractional_bits(self, inputs: list[int]) -> int:
        return max(inputs)

    def cost(self, shape: Shape) -> Cost | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, eq=False, kw_only=True)
class Changing(Node, abstract=True):
    """Nodes whose signal, spikes, changes from step to step whatever they read."""

    def is_static(self, inputs: list[bool]) -> bool:  # noqa: ARG002
        return False

    def fractional_bits(self, inputs: list[int]) -> int:  # noqa: ARG002
        return 0

    def cost(self, shape: Shape) -> Cost | None:  # noqa: ARG002
        return None
