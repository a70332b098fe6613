"""Firing rates against the activations that they stand for, at every step.

All sums are over whole multiples of 2^-20, the grid that activations are rounded to (their squares:
2^-30), and therefore exact: they depend on neither order nor blocks nor threads.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.simulation.static import applied
from ann2snn.spec import Input, Neuron, Output, SpikingSpec

Reals = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
GRID = 2.0**20
SQUARES = 2.0**30
SAMPLES_OF_IMAGE = 4
SAMPLES = 400
EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BY_STEP = ("count", "count_squared", "product", "distance")
TOTALS = ("units", "activation", "activation_squared", "active", "saturating", "staircase")


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
    by_step: dict[str, list[int]] = field(default_factory=dict)

    def add(self, fired: Reals) -> None:
        """One step more: `fired` (images, units) of 0s and 1s."""
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
        self.layers = {
            name: _Layer(values, np.zeros_like(values))
            for name, values in activations(spec, images).items()
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
            found[f"compared_totals/{name}"] = _totals(layer.activation)
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


def _totals(activation: Reals) -> Counts:
    """Of all activations a: their number; sums of a and a^2; how many are above 0; the sum of what
    is above 1; and that of a - 1/ceil(1/a), which reset to zero loses for ever."""
    inside = np.clip(activation, 0, 1)
    steps = np.ceil(1 / np.where(inside > 0, inside, 1))
    lost = np.where(inside > 0, inside - 1 / steps, 0)
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


@dataclass(frozen=True)
class Comparison:
    """One layer's rates r and activations a over all images and units.

    By step: `error`, the mean |r - a|; `bias`, the mean r - a; `correlation`, Pearson's, 0 where
    one of them does not vary. `active` is the share of activations above 0; `saturating` the mean
    of what is above 1, which no rate can follow; `staircase` the mean a - 1/ceil(1/a), the error
    that reset to zero keeps under a constant current a. `bins` lists (from, to, number, mean
    |r - a| at the last step) by activation, `samples` (activation, rate at the last step).
    """

    error: Reals
    bias: Reals
    correlation: Reals
    active: float
    saturating: float
    staircase: float
    bins: list[tuple[float, float, int, float]]
    samples: list[tuple[float, float]]

    def details(self) -> dict[str, Any]:
        """What is no curve, to six significant digits."""
        return {
            "active": _short(self.active),
            "saturating": _short(self.saturating),
            "staircase": _short(self.staircase),
            "bins": [[low, high, number, _short(mean)] for low, high, number, mean in self.bins],
            "samples": [[_short(a), _short(rate)] for a, rate in self.samples],
        }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def comparison(sums: dict[str, Counts], totals: Counts, bins: Counts, samples: Reals) -> Comparison:
    """From the sums of all blocks."""
    found = dict(zip(TOTALS, (int(value) for value in totals), strict=True))
    units = found["units"]
    shown = samples[:: max(1, len(samples) // SAMPLES)][:SAMPLES]
    mean = found["activation"] / GRID / units
    variance = found["activation_squared"] / SQUARES / units - mean**2
    t = np.arange(1, len(sums["count"]) + 1)
    rate = sums["count"] / t / units
    rate_variance = sums["count_squared"] / t**2 / units - rate**2
    covariance = sums["product"] / GRID / t / units - rate * mean
    spread = np.sqrt(np.maximum(rate_variance, 0) * max(variance, 0.0))
    correlation = np.where(spread > 0, covariance / np.where(spread > 0, spread, 1), 0)
    return Comparison(
        error=sums["distance"] / GRID / t / units,
        bias=rate - mean,
        correlation=correlation,
        active=found["active"] / units,
        saturating=found["saturating"] / GRID / units,
        staircase=found["staircase"] / GRID / units,
        bins=[
            (low, high, int(number), float(total) / GRID / int(t[-1]) / max(1, int(number)))
            for (low, high), (number, total) in zip(pairwise(EDGES), bins, strict=True)
        ],
        samples=[(float(a), float(count) / int(t[-1])) for a, count in shown],
    )
