"""A spec as a torch network whose neurons are another library's: the same spikes, step by step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ann2snn.exchange.exports import refuse
from ann2snn.exchange.twin_layers import LAYERS, MaxPool
from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.simulation.dense.layers import applied
from ann2snn.spec import Input, Neuron, Node, Output, SpikingSpec
from ann2snn.spec import MaxPool as MaxPoolNode
from ann2snn.spec.nodes import Weighted

Tensor = torch.Tensor


@dataclass(frozen=True)
class Library:
    """`neurons(node)` gives a layer of neurons with threshold 1; `begin(layer, potential)` sets
    what it begins with, in the shape of the current; `step(layer, current)` gives its spikes.
    `resets` and `spikes` are those rows that it can have.
    """

    name: str
    neurons: Callable[[Neuron], nn.Module]
    begin: Callable[[Any, Tensor], None]
    step: Callable[[Any, Tensor], Tensor]
    resets: tuple[str, ...]
    spikes: tuple[str, ...] = ("binary",)


class Neurons(nn.Module):
    """A library's layer, which begins with its own potential at the first step after `reset`."""

    def __init__(self, library: Library, node: Neuron) -> None:
        super().__init__()
        for word, value, known in (
            ("reset", node.reset, library.resets),
            ("spikes", node.spikes, library.spikes),
        ):
            if value not in known:
                raise refuse(node, f"{library.name} has no {word} {value}, only {', '.join(known)}")
        self.library = library
        self.layer = library.neurons(node)
        self.register_buffer("start", torch.from_numpy(np.array(node.initial_potential)))
        self.reset()

    def reset(self) -> None:
        """Begins anew."""
        self.begun = False

    def forward(self, current: Tensor) -> Tensor:
        if not self.begun:
            start = self.get_buffer("start").to(current.dtype).expand_as(current)
            self.library.begin(self.layer, start.clone())
            self.begun = True
        return self.library.step(self.layer, current)


@dataclass(frozen=True)
class Run:
    """What some steps gave: the `potential` of each class (images, classes), all currents into the
    output summed up, and by neuron layer the `spikes` of each neuron (images, *shape)."""

    potential: Tensor
    spikes: dict[str, Tensor]


class Twin(nn.Module):
    """The network of a spec in `library`, in thresholds and steps; `layers` are its modules by the
    names of the spec, with `_` in the place of a dot.

    A call takes images (N, *shape), as floats k / levels, one step further and gives the currents
    into the classes (N, classes); `reset` begins anew. What does not change with time is computed
    in float64 and rounded to the spec's grid, all else in float32, or in float64 after
    `.double()`.

    Raises:
        ExportError: names a node that the library cannot have.
    """

    def __init__(self, spec: SpikingSpec, library: Library) -> None:
        super().__init__()
        self.spec = spec
        self.library = library
        self.layers = nn.ModuleDict()
        for node in spec:
            if not isinstance(node, Input | Output):
                key = _key(node.name)
                if key in self.layers:
                    raise refuse(node, f"two nodes would be called {key}")
                self.layers[key] = self._layer(node)
        if not INPUTS[spec.input.input].static:
            raise refuse(spec.input, f"input {spec.input.input} draws spikes; a twin takes analog")
        self.eval()
        self.requires_grad_(False)

    def _layer(self, node: Node) -> nn.Module:
        """A node's module, in float32 unless its signal does not change with time."""
        if not isinstance(node, Neuron):
            layer = LAYERS[node](node)
            return layer if self.spec.is_static(node.name) else layer.float()
        return Neurons(self.library, node)

    def reset(self) -> None:
        """Begins anew: potentials at their start, pools without a past."""
        for layer in self.layers.values():
            if isinstance(layer, MaxPool | Neurons):
                layer.reset()

    def forward(self, images: Tensor) -> Tensor:
        """The currents into the classes (N, classes) of the next step."""
        return self._step(self._constant(images))[0]

    def run(self, images: Tensor, steps: int) -> Run:
        """What so many steps from the start give, for images (N, *shape) as floats."""
        self.reset()
        constant = self._constant(images)
        current, fired = self._step(constant)
        potential, spikes = current.double(), {name: s.double() for name, s in fired.items()}
        for _ in range(steps - 1):
            current, fired = self._step(constant)
            potential += current.double()
            for name, spike in fired.items():
                spikes[name] += spike.double()
        return Run(potential, spikes)

    def _constant(self, images: Tensor) -> dict[str, Tensor]:
        """The signals that do not change with time, in float64: sums over whole numbers k first,
        one division then, so that they are right to the last bit before they are rounded."""
        whole = torch.round(images.double() * self.spec.levels)
        found = {self.spec.input.name: self._rounded(whole / self.spec.levels)}
        pixels = whole / self.spec.levels
        for node in self.spec.nodes[1:]:
            if not self.spec.is_static(node.name):
                continue
            layer = self.layers[_key(node.name)]
            if isinstance(node, Weighted) and node.inputs == (self.spec.input.name,):
                bias = layer(torch.zeros_like(whole))
                value = (layer(whole) - bias) / self.spec.levels + bias
            else:
                read = [pixels if n == self.spec.input.name else found[n] for n in node.inputs]
                # of a signal that does not change every pooling hands on the maximum
                plain = isinstance(node, MaxPoolNode)
                value = applied(node, read) if plain else layer(*read)
            found[node.name] = self._rounded(value)
        return found

    def _rounded(self, value: Tensor) -> Tensor:
        if self.spec.grid is None:
            return value
        return torch.round(value * 2.0**self.spec.grid) / 2.0**self.spec.grid

    def _step(self, constant: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """One step: the currents into the classes, and the spikes of each neuron layer."""
        precision = self._precision()
        signals = {name: value.to(precision) for name, value in constant.items()}
        fired = {}
        for node in self.spec.nodes[1:-1]:
            if node.name not in signals:
                read = [signals[name] for name in node.inputs]
                signals[node.name] = self.layers[_key(node.name)](*read)
            if isinstance(node, Neuron):
                fired[node.name] = signals[node.name]
        return signals[self.spec.output.inputs[0]], fired

    def _precision(self) -> torch.dtype:
        """That of the first weights that change signals; float32 where there are none."""
        for node in self.spec:
            if isinstance(node, Weighted) and not self.spec.is_static(node.name):
                return next(self.layers[_key(node.name)].parameters()).dtype
        return torch.float32


def _key(name: str) -> str:
    return name.replace(".", "_")
