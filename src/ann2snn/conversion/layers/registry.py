"""The table of operations, and what an operation's function gets and gives."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn.utils.parametrize import is_parametrized

from ann2snn.conversion.analog_graph import ONE, AnalogGraph
from ann2snn.conversion.refusal import Refused
from ann2snn.spec import Node
from ann2snn.spec.nodes import Array, Shape


class Batch:
    """The number of images in a batch, which no layer may depend on."""

    def __repr__(self) -> str:
        return "batch"


BATCH = Batch()


@dataclass(frozen=True)
class Signal:
    """What flows between operations: a node of the graph and torch's shape of it, without batch."""

    name: str
    shape: Shape


@dataclass(frozen=True)
class Rearranged:
    """A signal on its way to another order of its channels, which no node stands for yet: `units`
    has torch's shape of it without batch, and at each place the number of a unit of `source`."""

    source: Signal
    units: torch.Tensor


def leaves(value: Any) -> list[Any]:
    """All that nested arguments, or results, hold."""
    found: list[Any] = []
    fx.node.map_aggregate(value, found.append)
    return found


@dataclass
class Call:
    """One traced operation: its evaluated arguments (signals or constants) and the graph so far.
    `target` is the function, the name of the method, or the path of the module."""

    graph: AnalogGraph
    name: str
    operation: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    module: Any = None
    target: Any = None
    nodes: list[str] = field(default_factory=list)
    note: str = ""

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument of a function by place or name, or the attribute of a module."""
        if self.module is not None and place > 0:
            return getattr(self.module, name, default)
        if place < len(self.args):
            return self.args[place]
        return self.kwargs.get(name, default)

    def signal(self) -> Signal:
        """The first argument, which must be a signal."""
        value = self.argument(0, "input")
        if not isinstance(value, Signal):
            raise Refused(
                f"takes the network's signal, got {type(value).__name__}", "pass one tensor"
            )
        return value

    def parameters(self) -> tuple[Array, Array]:
        """Weight and bias of a layer, constants."""
        weight, bias = self.argument(1, "weight"), self.argument(2, "bias")
        if not isinstance(weight, torch.Tensor):
            raise Refused("its weights depend on the image", "weights that are parameters")
        values = array(weight)
        return values, np.zeros(len(values)) if bias is None else array(bias)

    def emit(self, kind: type[Node], inputs: tuple[str, ...], seen: Shape, **fields: Any) -> Signal:
        """Adds a node that is called after the operation, and gives its signal, `seen` by torch."""
        wanted = f"{self.name}.{kind.__name__.lower()}" if self.nodes else self.name
        name = self.graph.fresh_name(wanted)
        fields.setdefault("scale", ONE)
        self.graph.add(kind(name=name, inputs=inputs, **fields))
        self.nodes.append(name)
        return Signal(name, seen)

    def vanish(self, signal: Signal, note: str) -> Signal:
        """Lets the operation leave no node."""
        self.note = note
        return signal


Handler = Callable[[Call], Any]
# those that take a signal which is `Rearranged`; to all others it is refused
REARRANGING: set[Handler] = set()
# those of what a network may do at its very end alone
ENDING: set[Handler] = set()
MODULES: dict[type[nn.Module], Handler] = {}
FUNCTIONS: dict[Any, Handler] = {}
METHODS: dict[str, Handler] = {}


def _registrar(table: dict[Any, Handler]) -> Callable[..., Callable[[Handler], Handler]]:
    """What decorates a function with the keys of the table that it is for."""

    def of(*keys: Any) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            for key in keys:
                if table.setdefault(key, handler) is not handler:
                    name = getattr(key, "__name__", key)
                    raise ValueError(
                        f"{name} has two functions that convert it: {_place(table[key])} and"
                        f" {_place(handler)}"
                    )
            return handler

        return register

    return of


module = _registrar(MODULES)  # decorates a function for torch modules,
function = _registrar(FUNCTIONS)  # for torch functions and operators,
method = _registrar(METHODS)  # for tensor methods


def rearranging(handler: Handler) -> Handler:
    """Lets the function take what is `Rearranged`."""
    REARRANGING.add(handler)
    return handler


def ending(handler: Handler) -> Handler:
    """Lets the function take what is the network's last operation, and refuses it elsewhere."""
    ENDING.add(handler)
    return handler


def is_last(node: fx.Node) -> bool:
    """Whether nothing but the network's output reads the operation."""
    return all(user.op == "output" for user in node.users)


def check_ending(node: fx.Node, operation: str, handler: Handler | None) -> None:
    """Refuses what only may be the last operation, before any other."""
    if handler in ENDING and not is_last(node):
        reason = f"a {operation} inside the network is no rate and has no spiking counterpart"
        raise Refused(reason, f"a ReLU, or the {operation} as the last operation")


def _place(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__name__}"


# what a subclass may define and still compute what its parent does
HARMLESS = {
    "__init__", "__module__", "__doc__", "__qualname__", "__annotations__", "__constants__",
    "__repr__", "__str__", "__dict__", "__weakref__", "__parameters__", "__orig_bases__",
    "__firstlineno__", "__static_attributes__", "__annotate__", "__annotate_func__",
    "__annotations_cache__", "extra_repr", "reset_parameters",
}  # fmt: skip


def handler_of(part: nn.Module) -> Handler | None:
    """The function for a module: of its own class, or of the one that it only builds otherwise.

    A parametrized layer (`torch.nn.utils.parametrize`) is the layer of its weights.
    """
    kind = type(part)
    if is_parametrized(part):
        kind = kind.__bases__[0]
    added: set[str] = set()
    for each in kind.__mro__:
        if each in MODULES:
            return MODULES[each] if added <= HARMLESS else None
        added |= set(vars(each))
    return None


def supported() -> str:
    """All operations in words: torch modules, and functions that no module has."""
    dimensions: dict[str, list[str]] = {}
    for kind in MODULES:
        name, dimension = re.fullmatch(r"(.+?)(\dd)?", kind.__name__).groups()  # type: ignore[union-attr]
        dimensions.setdefault(name, []).append(dimension or "")
    modules = [name + "/".join(sorted(found)) for name, found in sorted(dimensions.items())]
    alone = {*FUNCTIONS.values(), *METHODS.values()} - {*MODULES.values()}
    return ", ".join([*modules, *sorted(handler.__name__ for handler in alone)])


def spec_shape(shape: Shape) -> Shape:
    """One-dimensional data (C, L) are images of height 1 (C, 1, L)."""
    return (shape[0], 1, shape[1]) if len(shape) == 2 else shape


def array(tensor: torch.Tensor) -> Array:
    """A tensor's values in float64."""
    return np.array(tensor.detach().cpu().to(torch.float64).numpy())


def pair(value: Any, axes: int, lead: int) -> tuple[int, int]:
    """A torch size argument as (vertical, horizontal); one-dimensional data lead with `lead`."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(values) == 1:
        values *= axes
    if not all(isinstance(item, int) for item in values) or len(values) != axes:
        raise Refused(f"got the size {value!r}", "whole numbers that are known before the run")
    return (lead, values[0]) if axes == 1 else (values[0], values[1])
