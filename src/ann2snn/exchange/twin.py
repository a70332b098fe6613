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
from ann2snn.numerics.exact_sums import rounded
from ann2snn.simulation.checks import check_images, given_images
from ann2snn.simulation.dense.layers import applied, full_products
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
    """A library's layer, which begins with its own potential at the first step after `reset`.

    Raises:
        ExportError: the library lacks the node's reset or its kind of spike.
    """

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
        self.begun: tuple[int, ...] | None = None

    def forward(self, current: Tensor) -> Tensor:
        """The spikes of the next step; `current` keeps its shape until `reset`."""
        if self.begun is None:
            start = self.get_buffer("start").to(current.dtype).expand_as(current)
            self.library.begin(self.layer, start.clone())
            self.begun = tuple(current.shape)
        if self.begun != tuple(current.shape):
            raise ValueError(
                f"images must be as many as in the step before, {self.begun[0]}, got"
                f" {len(current)}; reset() begins anew"
            )
        return self.library.step(self.layer, current)


@dataclass(frozen=True)
class Run:
    """What some steps gave: the `potential` of each class (images, classes), all currents into the
    output summed up, and by neuron layer the `spikes` of each neuron (images, *shape)."""

    potential: Tensor
    spikes: dict[str, Tensor]


class Twin(nn.Module):
    """The network of a spec in `library`, in thresholds and steps; `layers` are its modules by the
    names of the spec, with `_` in the place of a dot and behind a name that is taken.

    A call takes images (N, *shape), whole numbers or floats as `simulate` does, one step further
    and gives the currents into the classes (N, classes); `reset` begins anew. What does not change
    with time is computed in float64 and rounded to the spec's grid, all else in float32, or in
    float64 after `.double()`. On a processor spikes are ours as long as potentials stay below
    2^(24 - grid) thresholds, or 2^(53 - grid) in float64.

    Raises:
        ExportError: names a node that the library cannot have.
        SpecError: names a node of a kind that has no torch module here.
    """

    def __init__(self, spec: SpikingSpec, library: Library) -> None:
        super().__init__()
        if not INPUTS[spec.input.input].static:
            raise refuse(spec.input, f"input {spec.input.input} draws spikes; a twin takes analog")
        self.spec = spec
        self.library = library
        self.layers = nn.ModuleDict()
        self._keys: dict[str, str] = {}
        for node in spec:
            if not isinstance(node, Input | Output):
                key = node.name.replace(".", "_")
                while key in self.layers or hasattr(self.layers, key):
                    key += "_"
                self._keys[node.name] = key
                self.layers[key] = self._layer(node)
        self.eval()
        self.requires_grad_(False)

    def layer(self, name: str) -> nn.Module:
        """The module of the node of that name."""
        return self.layers[self._keys[name]]

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

    @torch.no_grad()
    def run(self, images: Tensor, steps: int) -> Run:
        """What so many steps from the start give, for images (N, *shape).

        Raises:
            ValueError: the images do not fit the spec, or there is no step.
        """
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
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
        whole, levels = self._whole(images)
        pixels = whole / levels
        found = {self.spec.input.name: rounded(pixels, self.spec.grid)}
        for node in self.spec.nodes[1:]:
            if not self.spec.is_static(node.name):
                continue
            layer = self.layer(node.name)
            if isinstance(node, Weighted) and node.inputs == (self.spec.input.name,):
                bias = layer(torch.zeros_like(whole))
                value = (layer(whole) - bias) / levels + bias
            else:
                read = [pixels if n == self.spec.input.name else found[n] for n in node.inputs]
                # of a signal that does not change every pooling hands on the maximum
                plain = isinstance(node, MaxPoolNode)
                value = applied(node, read) if plain else layer(*read)
            found[node.name] = rounded(value, self.spec.grid)
        return found

    def _whole(self, images: Tensor) -> tuple[Tensor, int]:
        """Images as whole numbers k, in float64, and the levels that they count in, as `simulate`
        takes them.

        Raises:
            ValueError: names what does not fit.
        """
        images = torch.as_tensor(images)
        spec, whole = given_images(self.spec, images.detach().cpu().numpy())
        check_images(spec, whole, None)
        return torch.from_numpy(whole.astype(np.float64)).to(images.device), spec.levels

    def _step(self, constant: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """One step: the currents into the classes, and the spikes of each neuron layer."""
        precision = self._precision()
        signals = {name: value.to(precision) for name, value in constant.items()}
        fired = {}
        with full_products():
            for node in self.spec.nodes[1:-1]:
                if node.name not in signals:
                    read = [signals[name] for name in node.inputs]
                    signals[node.name] = self.layer(node.name)(*read)
                if isinstance(node, Neuron):
                    fired[node.name] = signals[node.name]
        return signals[self.spec.output.inputs[0]], fired

    def _precision(self) -> torch.dtype:
        """That of the first weights that change signals; float32 where there are none."""
        for node in self.spec:
            if isinstance(node, Weighted) and not self.spec.is_static(node.name):
                return next(self.layer(node.name).parameters()).dtype
        return torch.float32
