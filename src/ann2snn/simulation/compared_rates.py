"""Rates held against activations, block by block: sums over spikes and activations, and samples."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.mechanisms.resets import RESETS, Reset
from ann2snn.numerics.exact_sums import GRID, SQUARES
from ann2snn.simulation.comparison import EDGES, Counts, Reals
from ann2snn.simulation.dense.layers import applied
from ann2snn.spec import Input, Neuron, Output, SpikingSpec

SAMPLES_OF_IMAGE = 4


def activations(spec: SpikingSpec, images: npt.NDArray[np.integer]) -> dict[str, Reals]:
    """The activations of every neuron layer (images, units), in units of its scale: the spec with
    a ReLU in the place of every neuron, at multiples of 2^-20."""
    found: dict[str, list[Reals]] = {}
    for image in images:  # kernels give other last bits for other batch sizes
        pixels = torch.from_numpy(image.astype(np.float64))[None] / spec.levels
        signals: dict[str, torch.Tensor] = {}
        for node in spec:
            if isinstance(node, Input):
                signals[node.name] = pixels
            elif isinstance(node, Neuron):
                activation = signals[node.inputs[0]].clamp_min(0)
                signals[node.name] = activation
                whole = torch.round(activation * GRID) / GRID
                found.setdefault(node.name, []).append(whole.flatten(1).numpy())
            elif not isinstance(node, Output):
                signals[node.name] = applied(node, [signals[name] for name in node.inputs])
    return {name: np.concatenate(rows) for name, rows in found.items()}


@dataclass
class _Layer:
    """Running sums of one layer over a block, by step."""

    activation: Reals
    counts: Reals
    reset: Reset
    by_step: dict[str, list[int]] = field(default_factory=dict)

    def add(self, fired: Reals) -> None:
        """One step more: `fired` (images, units) of signed spikes: -1, 0 or 1."""
        self.counts += fired
        t = len(self.by_step.get("count", [])) + 1
        sums = {
            "count": self.counts.sum(1),
            "count_squared": np.square(self.counts).sum(1),
            "product": (self.counts * self.activation).sum(1) * GRID,
            "distance": np.abs(self.counts - t * self.activation).sum(1) * GRID,
        }
        for name, values in sums.items():
            self.by_step.setdefault(name, []).append(int(values.astype(np.int64).sum()))


class Watch:
    """Looks at the spikes of a block of images as an engine makes them."""

    def __init__(
        self, spec: SpikingSpec, images: npt.NDArray[np.integer], places: Counts, seed: int
    ) -> None:
        self.places = places
        self.seed = seed
        found = activations(spec, images)
        self.layers = {
            node.name: _Layer(found[node.name], np.zeros_like(found[node.name]), RESETS[node.reset])
            for node in spec
            if isinstance(node, Neuron)
        }

    def see(self, layer: str, fired: npt.NDArray[np.floating]) -> None:
        """Takes in `fired` (steps, images, units), the steps after those seen before."""
        for step in fired:
            self.layers[layer].add(step.astype(np.float64))

    def arrays(self) -> dict[str, np.ndarray]:
        """Sums of the block as whole numbers, and its samples, by `compared_<what>/<layer>`."""
        found: dict[str, np.ndarray] = {}
        for order, (name, layer) in enumerate(self.layers.items()):
            for what, values in layer.by_step.items():
                found[f"compared_{what}/{name}"] = np.array(values, np.int64)
            found[f"compared_totals/{name}"] = _totals(layer)
            found[f"compared_bins/{name}"] = _binned(layer)
            found[f"samples/{name}"] = np.concatenate(list(self._samples(layer, order)))
        return found

    def _samples(self, layer: _Layer, order: int) -> Iterator[Reals]:
        """For each image a few (activation, spikes) of neurons that are active or have fired."""
        for place, activation, counts in zip(
            self.places, layer.activation, layer.counts, strict=True
        ):
            alive = np.flatnonzero((activation > 0) | (counts > 0))
            draw = np.random.default_rng([self.seed, int(place), order])
            chosen = draw.choice(alive if len(alive) else len(activation), SAMPLES_OF_IMAGE)
            yield np.stack([activation[chosen], counts[chosen]], 1)


def _totals(layer: _Layer) -> Counts:
    """Of all activations a: their number; sums of a and a^2; how many are above 0; the sum of their
    parts above 1; and that of a - rate(a), which the reset loses for ever, or reset to zero would
    if this one loses nothing."""
    activation = layer.activation
    reset = layer.reset if layer.reset.loses else RESETS["zero"]
    lost = np.clip(activation, 0, 1) - reset.rate(activation)
    values = (
        activation.size,
        (activation * GRID).sum(),
        np.rint(np.square(activation) * SQUARES).sum(),
        np.count_nonzero(activation),
        (np.maximum(activation - 1, 0) * GRID).sum(),
        np.rint(lost * GRID).sum(),
    )
    return np.array([int(value) for value in values], np.int64)


def _binned(layer: _Layer) -> Counts:
    """By activation between neighbours of EDGES: how many, and their |count - t a| (bins, 2)."""
    t = len(layer.by_step["count"])
    distance = np.abs(layer.counts - t * layer.activation)
    found = []
    for low, high in pairwise(EDGES):
        inside = (layer.activation > low) & (layer.activation <= high)
        found.append((int(inside.sum()), int((distance[inside] * GRID).sum())))
    return np.array(found, np.int64)
