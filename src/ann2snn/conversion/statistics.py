"""What activations a calibration set brings: one streaming pass, bounded memory, mergeable.

Images pass in chunks of a fixed size, the last filled up, through the folded analog network; what
is kept are whole-number counts and maxima, so neither batches nor order change a bit.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import nn

from ann2snn.conversion.analog import graph_network
from ann2snn.conversion.fold import simplified
from ann2snn.conversion.graph import AnalogGraph
from ann2snn.conversion.histogram import Histogram, lowest_kept
from ann2snn.conversion.points import points
from ann2snn.conversion.trace import analog_graph

FORMAT = "ann2snn activation statistics 1"
CHUNK = 100
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999)
PLOT_BINS = 100
UNIT_RANGE = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    """One layer over all images: the positive parts of its activations.

    `largest` (channels,) are exact maxima by channel; `channels` count the activations of each
    channel, `histogram` those of all, `image_maxima` the largest of each image.
    """

    largest: npt.NDArray[np.float64]
    channels: tuple[Histogram, ...]
    image_maxima: Histogram

    @cached_property
    def histogram(self) -> Histogram:
        return Histogram.merged(self.channels)

    @property
    def maximum(self) -> float:
        return float(self.largest.max())

    def merge(self, other: "LayerStatistics") -> "LayerStatistics":
        """Of both sets of images."""
        pairs = zip(self.channels, other.channels, strict=True)
        channels = (Histogram.merged(pair) for pair in pairs)
        return LayerStatistics(
            np.maximum(self.largest, other.largest),
            tuple(channel.raised(int(lowest_kept(channel.bins[-1]))) for channel in channels),
            Histogram.merged([self.image_maxima, other.image_maxima]),
        )

    def scale(self, percentile: float, population: str) -> float:
        """The percentile over the layer's activations; 100 is the exact maximum.

        Where so many are 0 that the percentile is, it is the maximum; 0 only if all are.
        """
        found = self.histogram.percentile(percentile, population)
        return min(found, self.maximum) if percentile < 100 and found > 0 else self.maximum

    def channel_scales(self, percentile: float, population: str) -> npt.NDArray[np.float64]:
        """The percentile over each channel's activations (channels,), as `scale` for the layer; a
        channel without any above 0 has the layer's scale."""
        found = np.array([c.percentile(percentile, population) for c in self.channels])
        inner = (found > 0) & (percentile < 100)
        scales = np.where(inner, np.minimum(found, self.largest), self.largest)
        return np.where(scales > 0, scales, self.scale(percentile, population))


@dataclass(frozen=True, eq=False)
class Statistics:
    """The layers that a conversion needs scales of, by node name, over `images` images.

    `pixels` is the range that the images' pixels lie in: [0, 1], or what they leave it to.
    """

    layers: dict[str, LayerStatistics]
    images: int
    pixels: tuple[float, float] = UNIT_RANGE

    def merge(self, other: "Statistics") -> "Statistics":
        """Of both sets of images.

        Raises:
            ValueError: they are of different networks.
        """
        if list(self.layers) != list(other.layers):
            raise ValueError("statistics of different networks do not merge")
        merged = {name: layer.merge(other.layers[name]) for name, layer in self.layers.items()}
        pixels = min(self.pixels[0], other.pixels[0]), max(self.pixels[1], other.pixels[1])
        return Statistics(merged, self.images + other.images, pixels)

    def summary(self) -> dict[str, Any]:
        """For each layer, in order: count, nonzero, max, percentiles over the non-zero activations,
        and histograms to plot of the non-zero activations and of the images' maxima."""
        return {name: _summary(layer) for name, layer in self.layers.items()}

    def save(self, path: Path) -> None:
        """Writes one safetensors file: counts in 32 bits where they fit, the range of pixels where
        it is not [0, 1]."""
        tensors: dict[str, np.ndarray] = {}
        for name, layer in self.layers.items():
            tensors[f"{name}/largest"] = layer.largest
            tensors[f"{name}/image_maxima/bins"] = layer.image_maxima.bins
            tensors[f"{name}/image_maxima/counts"] = layer.image_maxima.counts
            lengths = [len(channel.bins) for channel in layer.channels]
            tensors[f"{name}/channels/lengths"] = np.array(lengths, np.int64)
            for field in ("bins", "counts"):
                whole = np.concatenate([getattr(channel, field) for channel in layer.channels])
                fits = whole.max(initial=0) <= np.iinfo(np.int32).max
                tensors[f"{name}/channels/{field}"] = whole.astype(np.int32 if fits else np.int64)
        content = {"format": FORMAT, "images": self.images, "layers": list(self.layers)}
        if self.pixels != UNIT_RANGE:
            content["pixels"] = self.pixels
        save_file(tensors, path, metadata={"statistics": json.dumps(content)})

    @staticmethod
    def load(path: Path) -> "Statistics":
        """The statistics of a file that `save` wrote.

        Raises:
            ValueError: the file is not such a file.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                content = json.loads((file.metadata() or {}).get("statistics", "{}"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} holds no activation statistics: {error}") from error
        if content.get("format") != FORMAT:
            raise ValueError(f"{path} holds no activation statistics")
        layers = {name: _layer(name, tensors) for name in content["layers"]}
        low, high = content.get("pixels", UNIT_RANGE)
        return Statistics(layers, content["images"], (low, high))


def collect(module: nn.Module, images: npt.NDArray[Any], levels: int) -> Statistics:
    """Statistics of `module` over `images` (N, *shape) of whole numbers k, pixels k / levels.

    Raises:
        ConversionError: the network cannot be converted.
        ValueError: there are no images, or activations that are not finite.
    """
    if not len(images):
        raise ValueError("statistics need at least one calibration image, got 0")
    graph = simplified(analog_graph(module, tuple(images.shape[1:])))
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    return collect_from(graph, images, levels, dtype)


def collect_from(
    graph: AnalogGraph, images: npt.NDArray[Any], levels: int, dtype: torch.dtype
) -> Statistics:
    """Statistics of a folded graph."""
    from ann2snn.conversion.tally import Tally  # needs numba, which nothing else here does

    network = graph_network(graph, dtype)
    shapes = graph.shapes()
    tallies = {name: Tally(name, shapes[name]) for name in points(graph)}
    for start in range(0, len(images), CHUNK):
        block = np.asarray(images[start : start + CHUNK])
        kept = len(block)
        # kernels give other last bits for other batch sizes: every chunk has the same
        filled = np.concatenate([block, np.zeros((CHUNK - kept, *block.shape[1:]), block.dtype)])
        pixels = torch.from_numpy(filled).to(dtype) / levels
        for node, signal in network.signals(pixels):
            if node.name in tallies:
                tallies[node.name].add(signal[:kept])
    layers = {
        name: LayerStatistics(tally.largest, tally.channels(), tally.image_maxima())
        for name, tally in tallies.items()
    }
    low, high = UNIT_RANGE
    pixels_seen = min(low, float(images.min()) / levels), max(high, float(images.max()) / levels)
    return Statistics(layers, len(images), pixels_seen)


def _layer(name: str, tensors: dict[str, np.ndarray]) -> LayerStatistics:
    ends = np.cumsum(tensors[f"{name}/channels/lengths"])[:-1]
    pieces = [
        np.split(tensors[f"{name}/channels/{field}"].astype(np.int64), ends)
        for field in ("bins", "counts")
    ]
    channels = tuple(Histogram(bins, counts) for bins, counts in zip(*pieces, strict=True))
    maxima = Histogram(tensors[f"{name}/image_maxima/bins"], tensors[f"{name}/image_maxima/counts"])
    return LayerStatistics(tensors[f"{name}/largest"], channels, maxima)


def _summary(layer: LayerStatistics) -> dict[str, Any]:
    top = layer.maximum if layer.maximum > 0 else 1.0
    edges = np.linspace(0, top, PLOT_BINS + 1)
    return {
        "count": layer.histogram.total,
        "nonzero": layer.histogram.total - layer.histogram.zeros,
        "max": layer.maximum,
        "percentiles": {f"{p:g}": layer.scale(p, "nonzero") for p in (*PERCENTILES, 100.0)},
        "histogram": {
            "edges": edges.tolist(),
            "counts": layer.histogram.grouped(edges).tolist(),
        },
        "image_maxima": {
            "edges": edges.tolist(),
            "counts": layer.image_maxima.grouped(edges).tolist(),
        },
    }
