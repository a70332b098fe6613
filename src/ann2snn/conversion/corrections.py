"""Calibration: biases and first potentials corrected for a number of steps, layer by layer.

With a the activation of the analog network in thresholds, at most the largest rate, s the spikes of
T steps from the layers before, which are corrected already, and means over the calibration images:

- b_c += mean(a) - mean(s) / T, the mean over positions too (SNN_Calibration, Li et al. 2021,
  'light'; there without that limit);
- V(0)_i += T (mean(a_i) - mean(s_i) / T), per neuron ('advanced').

Sums are of whole numbers, spikes and units of 2^-20 of activations, so they have no order.
"""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.analog_graph import along
from ann2snn.conversion.analog_network import AnalogNetwork
from ann2snn.conversion.spiking_signals import SpikingSignals
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.numerics.exact_sums import GRID, rounded
from ann2snn.spec import Affine, Conv, Linear, Neuron, Node, Output, SpikingSpec
from ann2snn.spec.nodes import Array

IMAGES = 500  # spread evenly over the calibration images
KEPT_BYTES = 2**30  # of one layer's spikes: a large network is calibrated on fewer images
CHUNK_BYTES = 2**26
CHUNK = 20  # images of the analog network at a time: kernels give other last bits for others


def calibrated(
    spec: SpikingSpec,
    images: npt.NDArray[np.integer],
    ceilings: Mapping[str, float],
    corrects: tuple[str, ...],
) -> SpikingSpec:
    """`spec` with corrected biases and first potentials, on its grid, for `spec.for_steps` steps.

    `ceilings` are the limits of saturating ReLUs in the analog network's units; `corrects` names
    what is corrected per layer, in order.
    """
    largest = max(int(np.prod(shape)) for shape in spec.shapes.values())
    most = max(1, min(IMAGES, KEPT_BYTES // (spec.for_steps * largest)))
    chosen = np.unique(np.linspace(0, len(images) - 1, most).round().astype(np.int64))
    walk = _Walk(spec, np.asarray(images)[chosen], ceilings)
    for node in spec:
        if isinstance(node, Neuron):
            for what in corrects:
                walk.correct(node.name, what)
            walk.finish(node.name)
        elif isinstance(node, Output) and "bias" in corrects:
            walk.correct_classes(node)
    return dataclasses.replace(spec, nodes=tuple(walk.signals.nodes.values()))


class _Walk:
    """Layers before the present one are corrected, and their spikes kept while they are read."""

    def __init__(
        self, spec: SpikingSpec, images: npt.NDArray[np.integer], ceilings: Mapping[str, float]
    ) -> None:
        self.spec, self.images, self.steps = spec, images, spec.for_steps
        self.signals = SpikingSignals(spec, spec.for_steps, images)
        self.wanted = _mean_activations(spec, images, ceilings)
        largest = max(int(np.prod(shape)) for shape in spec.shapes.values())
        self.chunk = max(1, CHUNK_BYTES // (8 * self.steps * largest))

    def correct(self, name: str, what: str) -> None:
        """Corrects the biases or the first potentials of a neuron layer."""
        counts = sum(spikes.sum((0, 1), dtype=torch.int64) for spikes in self._fired(name))
        assert isinstance(counts, torch.Tensor)
        missing = self.wanted[name] - counts.numpy() / (len(self.images) * self.steps)
        node = self.signals.nodes[name]
        assert isinstance(node, Neuron)
        if what == "bias":
            self._raise_bias(node, missing.reshape(len(missing), -1).mean(1))
        else:
            start = node.initial_potential + self.steps * missing
            self._put(dataclasses.replace(node, initial_potential=rounded(start, self.spec.grid)))

    def correct_classes(self, node: Output) -> None:
        """Corrects the bias of the classes, where they have one of their own."""
        source = self.signals.nodes[node.inputs[0]]
        if not isinstance(source, Conv | Linear | Affine):
            return
        sums = [self.signals.signal(source.name, chunk).sum(0) for chunk in self._chunks()]
        steps = 1 if self.signals.static(source.name) else self.steps
        mean = torch.stack(sums).sum(0).numpy() / (len(self.images) * steps)
        self._raise_bias(node, self.wanted[node.name] - mean)

    def finish(self, name: str) -> None:
        """Keeps the spikes of a corrected layer, and drops those that no later layer reads."""
        self.signals.spikes[name] = torch.cat(list(self._fired(name)))
        places = {node.name: place for place, node in enumerate(self.spec)}
        read = set[str]()
        for node in self.spec:
            if places[node.name] > places[name] and isinstance(node, Neuron | Output):
                read |= _neurons_before(self.spec, node)
        self.signals.spikes = {n: s for n, s in self.signals.spikes.items() if n in read}

    def _fired(self, name: str) -> Iterator[torch.Tensor]:
        node = self.signals.nodes[name]
        assert isinstance(node, Neuron)
        return (self.signals.fire(node, chunk) for chunk in self._chunks())

    def _chunks(self) -> Iterator[slice]:
        for start in range(0, len(self.images), self.chunk):
            yield slice(start, start + self.chunk)

    def _put(self, node: Node) -> None:
        self.signals.nodes[node.name] = node

    def _raise_bias(self, node: Node, missing: Array) -> None:
        """Adds to the bias of the node's current (channels,): to that of its own weights, or of a
        new `Affine` where others read them, or there are none."""
        source = self.signals.nodes[node.inputs[0]]
        raised = rounded(missing, self.spec.grid)
        axes = len(self.spec.shapes[source.name])
        readers = [each for each in self.signals.nodes.values() if source.name in each.inputs]
        if isinstance(source, Conv | Linear) and len(readers) == 1:
            self._put(dataclasses.replace(source, bias=source.bias + raised))
        elif isinstance(source, Affine) and len(readers) == 1:
            self._put(dataclasses.replace(source, bias=source.bias + along(raised, axes)))
        else:
            self._insert(node, along(raised, axes))

    def _insert(self, node: Node, bias: Array) -> None:
        """Puts an `Affine` with this bias before the node."""
        nodes = self.signals.nodes
        name = f"{node.name}.calibration"
        while name in nodes:
            name += "+"
        affine = Affine(
            name=name, inputs=node.inputs, scale=nodes[node.inputs[0]].scale,
            gain=np.ones(()), bias=bias,
        )  # fmt: skip
        changed = dataclasses.replace(node, inputs=(name,))
        entries = [(n, changed if n == node.name else old) for n, old in nodes.items()]
        place = list(nodes).index(node.name)
        self.signals.nodes = dict([*entries[:place], (name, affine), *entries[place:]])


def _neurons_before(spec: SpikingSpec, node: Node) -> set[str]:
    """The neuron layers whose spikes reach the node through no other neurons."""
    found = set[str]()
    for name in node.inputs:
        before = spec[name]
        found |= {name} if isinstance(before, Neuron) else _neurons_before(spec, before)
    return found


def _mean_activations(
    spec: SpikingSpec, images: npt.NDArray[np.integer], ceilings: Mapping[str, float]
) -> dict[str, Array]:
    """Mean activations (*shape) of neuron layers, each at most the largest rate, and of the output:
    of the spec with ReLUs for neurons, at multiples of 2^-20."""
    limits = {
        name: along(np.array(value / spec[name].scale), len(spec.shapes[name]))
        for name, value in ceilings.items()
    }
    network = AnalogNetwork(list(spec), torch.float64, limits, averages=False)
    sums = {
        node.name: np.zeros(spec.shapes[node.name], np.int64)
        for node in spec
        if isinstance(node, Neuron | Output)
    }
    for start in range(0, len(images), CHUNK):
        block = images[start : start + CHUNK]
        filled = np.zeros((CHUNK, *block.shape[1:]))
        filled[: len(block)] = block
        for node, signal in network.signals(torch.from_numpy(filled) / spec.levels):
            if node.name in sums:
                # in place: the layers behind read these multiples, whose sums are exact
                signal.mul_(GRID).round_().div_(GRID)
                own = signal[: len(block)]
                if isinstance(node, Neuron):
                    own = own.clamp_max(SPIKES[node.spikes].most)
                sums[node.name] += (own * GRID).sum(0).numpy().astype(np.int64)
    return {name: found / GRID / len(images) for name, found in sums.items()}
