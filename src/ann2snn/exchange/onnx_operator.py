"""An operator of an ONNX graph, the torch network that grows from it, and the table of all kinds.

A value of the graph is a signal (a node of torch.fx), a constant (an array) or a list of sizes,
whose batch is a node of torch.fx.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from ann2snn.conversion.refusal import Refused

Array = np.ndarray
Shape = tuple[int | None, ...]
SIMPLER = "an export with fixed sizes but for the batch, of a network in eval mode"


@dataclass(frozen=True)
class SizeOf:
    """The shape of a signal, as a value."""

    signal: fx.Node


_EMPTY = fx.GraphModule({}, fx.Graph())


class Network:
    """A torch network under construction: `parts` are layers and constants by their paths."""

    def __init__(self) -> None:
        self.graph = fx.Graph()
        self.parts: dict[str, nn.Module | torch.Tensor] = {}

    def add(self, path: str, part: nn.Module | torch.Tensor) -> str:
        """Adds a part under the path, or under the nearest one that no other part, and no name of a
        torch module's own, stands in the way of, and gives that."""
        first = path.partition(".")[0]
        path = f"own_{path}" if hasattr(_EMPTY, first) else path
        free, count = path, 0
        while any(f"{free}.".startswith(f"{other}.") or f"{other}.".startswith(f"{free}.")
                  for other in self.parts):  # fmt: skip
            count += 1
            free = f"{path.replace('.', '_')}_{count}"
        self.parts[free] = part
        return free

    def layer(self, path: str, layer: nn.Module) -> str:
        """The path of the layer: that of an equal one without tensors, which is called again, or a
        new one."""
        known = self.parts.get(path)
        alike = type(known) is type(layer) and _geometry(known) == _geometry(layer)
        return path if alike and not layer.state_dict() else self.add(path, layer)

    def module(self) -> fx.GraphModule:
        """The network in eval mode, its operations checked for being in order."""
        self.graph.lint()
        return fx.GraphModule(self.parts, self.graph, "OnnxNetwork").eval()


def _geometry(layer: Any) -> dict[str, Any]:
    """All that a layer without tensors was made with, which its words need not tell."""
    return {name: value for name, value in vars(layer).items() if not name.startswith("_")}


@dataclass
class Operator:
    """One operator: its `inputs` as values, None where one is left out, the `shapes` of those that
    are known, and the attributes that nobody has taken yet. `path` names it in the network,
    `batch` is the batch's size where the file fixes it, and `outputs` are the names of what it
    gives, empty where nothing reads it.
    """

    kind: str
    path: str
    inputs: list[Any]
    shapes: list[Shape | None]
    attributes: dict[str, Any]
    network: Network
    batch: int | None = None
    outputs: tuple[str, ...] = ("",)

    def take(self, name: str, default: Any = None) -> Any:
        """An attribute; one that no operator takes is refused."""
        value = self.attributes.pop(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def input(self, place: int) -> Any:
        """An input, None where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    def signal(self, place: int = 0) -> fx.Node:
        """An input that changes with the image."""
        value = self.input(place)
        if not isinstance(value, fx.Node):
            raise Refused(f"its input {place} is no signal", SIMPLER)
        return value

    def constant(self, place: int) -> Array | None:
        """An input that is the same for all images; None where it is left out."""
        value = self.input(place)
        if value is not None and not isinstance(value, Array):
            raise Refused(
                f"its input {place} depends on the image, or on constants that are not folded",
                "a constant of the file",
            )
        return value

    def weight(self, place: int) -> Array:
        """A constant that must be there."""
        value = self.constant(place)
        if value is None:
            raise Refused(f"its input {place} is left out", SIMPLER)
        return value

    def rank(self) -> int:
        """The axes of the first input, the batch among them."""
        shape = self.shapes[0]
        if shape is None:
            raise Refused("the axes of what it reads are not known", SIMPLER)
        return len(shape)

    def layer(self, layer: nn.Module, *tensors: tuple[str, Array | None]) -> fx.Node:
        """A layer on the first input, its tensors set by name, in their own precision."""
        for name, values in tensors:
            if values is not None:
                tensor = torch.from_numpy(np.array(values))
                if isinstance(getattr(layer, name), nn.Parameter):
                    setattr(layer, name, nn.Parameter(tensor, requires_grad=False))
                else:
                    layer.register_buffer(name, tensor)
        path = self.network.layer(self.path, layer)
        return self.network.graph.call_module(path, (self.signal(),))

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> fx.Node:
        """A call of a function of torch."""
        return self.network.graph.call_function(function, arguments, named)

    def method(self, name: str, *arguments: Any) -> fx.Node:
        """A call of a method of the first argument."""
        return self.network.graph.call_method(name, arguments)

    def operand(self, place: int) -> Any:
        """A signal, or a constant as a number or as a part of the network."""
        value = self.input(place)
        if isinstance(value, Array):
            if value.size == 1:
                return float(value.reshape(()))
            name = self.network.add(f"{self.path}_constant", torch.from_numpy(np.array(value)))
            return self.network.graph.get_attr(name)
        return self.signal(place)


Read = Callable[[Operator], Any]
OPERATORS: dict[str, Read] = {}


def operator(*kinds: str) -> Callable[[Read], Read]:
    """Decorates the function that reads operators of these kinds: it gives their first output, or a
    tuple of all."""

    def add(read: Read) -> Read:
        for kind in kinds:
            assert kind not in OPERATORS, f"two functions read {kind}"
            OPERATORS[kind] = read
        return read

    return add
