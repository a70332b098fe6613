"""The signals of a spiking network through a number of steps, layer by layer: what calibration
sees. Images are analog and max-pools pass the rise of the largest count; time is folded into the
batch. All sums are exact on the spec's grid, so that they are those of every engine."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.analog_network import FORMS, Run
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.numerics.exact_sums import rounded
from ann2snn.spec import Conv, Input, Linear, MaxPool, Neuron, Node, SpikingSpec

Tensor = torch.Tensor
FLOAT32_BITS = 23  # one of 24 stays free: corrections move bounds a little


class SpikingSignals:
    """Signals of `spec` over images of whole numbers.

    `nodes` may be replaced, or put in before a neuron, on the way; `spikes` are those of the
    neurons that were walked through (images, steps, *shape), as int8.
    """

    def __init__(self, spec: SpikingSpec, steps: int, images: npt.NDArray[Any]) -> None:
        self.spec, self.steps = spec, steps
        self.images = images.reshape(-1, *spec.input.shape)
        self.nodes: dict[str, Node] = {node.name: node for node in spec}
        self.spikes: dict[str, Tensor] = {}
        self.bounds = spec.through(lambda node, inputs: node.bound(inputs))

    def signal(self, name: str, chunk: slice) -> Tensor:
        """The node's signal for some images: (images, *shape) if it is static, else (images x
        steps, *shape), in float64."""
        node = self.nodes[name]
        if name in self.spikes:
            return self.spikes[name][chunk].flatten(0, 1).double()
        if self.static(name):
            still: Tensor = rounded(self._static(node, chunk), self.spec.grid)
            return still
        inputs = [self._through_time(source, chunk) for source in node.inputs]
        if isinstance(node, MaxPool):
            return self._risen(node, inputs[0])
        dtype = self._precision(name)
        run = Run(node, dtype, None, averages=False, overwrites=False)
        found: Tensor = FORMS[node](node, run, *(signal.to(dtype) for signal in inputs))
        return found.double()

    def static(self, name: str) -> bool:
        """Whether the signal is the same in every step; a node put in has the kind of its input."""
        if name in self.spec.shapes:
            return self.spec.is_static(name)
        return all(self.static(source) for source in self.nodes[name].inputs)

    def fire(self, node: Neuron, chunk: slice) -> Tensor:
        """The spikes (images, steps, *shape) of a neuron layer: V <- V + current, spikes of V,
        reset (Rueckauer et al. 2016, section 2)."""
        (source,) = node.inputs
        potential = torch.zeros(self.spec.shapes[node.name], dtype=torch.float64)
        potential += torch.as_tensor(node.initial_potential)
        current = self.signal(source, chunk)
        if not self.static(source):
            current = self._by_step(current)
        still = current.ndim == potential.ndim + 1
        voltage = potential.expand(len(current), *potential.shape)
        sent, spikes = torch.zeros_like(voltage), []
        fires, after = SPIKES[node.spikes].fired, RESETS[node.reset].after
        for step in range(self.steps):
            charged = voltage + (current if still else current[:, step])
            fired = fires(charged, sent) * 1.0
            voltage, sent = after(charged, fired), sent + fired
            spikes.append(fired.to(torch.int8))
        return torch.stack(spikes, 1)

    def _through_time(self, name: str, chunk: slice) -> Tensor:
        signal = self.signal(name, chunk)
        return signal.repeat_interleave(self.steps, 0) if self.static(name) else signal

    def _risen(self, node: MaxPool, signal: Tensor) -> Tensor:
        """max_i N_i(t) - max_i N_i(t - 1), N the sums up to each step."""
        run = Run(node, torch.float64, None, averages=False, overwrites=False)
        sums = self._by_step(signal).cumsum(1)
        largest = self._by_step(FORMS[node](node, run, sums.flatten(0, 1)))
        before = torch.cat([torch.zeros_like(largest[:, :1]), largest[:, :-1]], 1)
        return (largest - before).flatten(0, 1)

    def _by_step(self, signal: Tensor) -> Tensor:
        """A signal (images x steps, *shape) as (images, steps, *shape)."""
        return signal.reshape(-1, self.steps, *signal.shape[1:])

    def _static(self, node: Node, chunk: slice) -> Tensor:
        """As engines form currents that do not change: sums over whole numbers come before the
        one division, and the bias, on the grid itself, last."""
        whole = torch.from_numpy(self.images[chunk].astype(np.float64))
        run = Run(node, torch.float64, None, averages=False, overwrites=False)
        if isinstance(node, Input):
            return whole / self.spec.levels
        if isinstance(node, Conv | Linear) and node.inputs == (self.spec.input.name,):
            bias = run.tensors["bias"].clone()
            run.tensors["bias"] = torch.zeros_like(bias)
            shaped = bias[:, None, None] if isinstance(node, Conv) else bias
            summed: Tensor = FORMS[node](node, run, whole)
            return summed / self.spec.levels + shaped
        inputs = [
            self._static(self.nodes[source], chunk)
            if source == self.spec.input.name
            else self.signal(source, chunk)
            for source in node.inputs
        ]
        found: Tensor = FORMS[node](node, run, *inputs)
        return found

    def _precision(self, name: str) -> torch.dtype:
        """float32 where it holds all partial sums of a step."""
        grid = self.spec.grid
        narrow = grid is not None and self.bounds.get(name, np.inf) < 2.0 ** (FLOAT32_BITS - grid)
        return torch.float32 if narrow else torch.float64
