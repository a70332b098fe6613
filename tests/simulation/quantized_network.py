"""The network quantized to T levels: the sums of all signals over T steps, in whole numbers where
neurons count, without a step being simulated."""

import numpy as np
import torch

from ann2snn.simulation.constant_currents import static_signals
from ann2snn.simulation.dense.layers import applied
from ann2snn.simulation.image_block import Block
from ann2snn.spec import Affine, Neuron, SpikingSpec, SumPool
from ann2snn.spec.nodes.weighted import Weighted

Tensor = torch.Tensor
Sums = dict[str, Tensor]


def sums(
    spec: SpikingSpec,
    images: np.ndarray,
    steps: int,
    *,
    counts: dict[str, np.ndarray] | None = None,
    most: float | None = None,
) -> Sums:
    """The sum over `steps` of the signal of every node but the output (images, *shape).

    A neuron's is n = clip(floor(S + V(0)), 0, `most`), S the sum of its currents and `most` as many
    as the steps unless told otherwise; or what `counts` says. A sum of sums is a sum, biases come
    once a step, and the changes of a window's largest net count sum up to it.
    """
    still = static_signals(spec, images)
    found: Sums = {}
    for node in spec.nodes[:-1]:
        name = node.name
        if name in still:
            found[name] = torch.from_numpy(still[name]) * steps
        elif node is spec.input:
            found[name] = torch.from_numpy(steps * images // spec.levels).double()
        elif not isinstance(node, Neuron):
            inputs = [found[source] for source in node.inputs]
            found[name] = applied(node, inputs)
            if isinstance(node, Weighted | Affine):
                bias = applied(node, [torch.zeros_like(each) for each in inputs])
                found[name] = found[name] + (steps - 1) * bias
        elif counts is None:
            total = found[node.inputs[0]] + torch.as_tensor(node.initial_potential)
            found[name] = total.floor().clamp(0, steps if most is None else most)
        else:
            shape = len(images), *spec.shapes[name]
            found[name] = torch.from_numpy(counts[name]).double().view(shape)
    return found


def settled(counts: np.ndarray, potentials: np.ndarray, steps: int) -> np.ndarray:
    """Which neurons (images, units) hold a potential in [0, 1), or below it with nothing to take
    back, or above it after a spike in every step."""
    waits = (potentials >= 0) & (potentials < 1)
    rests = waits | ((potentials < 0) & (counts == 0)) | ((potentials >= 1) & (counts == steps))
    return np.asarray(rests)


def distances(spec: SpikingSpec, block: Block, steps: int) -> dict[str, float]:
    """A bound of |sum - quantized sum| of each node, from how far its own neurons are from being
    settled: d(neurons) = ceil(d(currents)) + lag, where the lag is the whole part of the potential
    beyond [0, 1); d(weights) = max over outputs of sum_j |w_j| times d(inputs)."""
    found: dict[str, float] = {}
    for node in spec.nodes[:-1]:
        inputs = [found[source] for source in node.inputs]
        if spec.is_static(node.name):
            found[node.name] = 0.0
        elif isinstance(node, Neuron):
            potentials, counts = block.potentials[node.name], block.counts[node.name]
            lag = np.abs(np.floor(potentials)) * ~settled(counts, potentials, steps)
            found[node.name] = float(np.ceil(inputs[0]) + lag.max(initial=0))
        elif isinstance(node, Weighted):
            weight = np.abs(node.weight).reshape(len(node.weight), -1)
            found[node.name] = float(weight.sum(1).max()) * inputs[0]
        elif isinstance(node, Affine):
            found[node.name] = float(np.abs(node.gain).max()) * inputs[0]
        elif isinstance(node, SumPool):
            found[node.name] = node.largest_window * inputs[0]
        else:
            found[node.name] = sum(inputs) if node.kind == "add" else max(inputs)
    return found
