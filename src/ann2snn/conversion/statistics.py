"""Statistics of activations over a calibration set, kept in one file."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ann2snn.conversion.histogram import Histogram
from ann2snn.conversion.scale_searches import balanced_scale, least_error_scale
from ann2snn.spec.graph import UNIT_RANGE

FORMAT = "ann2snn activation statistics 1"
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999)
PLOT_BINS = 100


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    """Statistics of one layer over all images: the positive parts of its activations.

    `largest` (channels,) are the exact maxima per channel. `channels` count the activations per
    channel, `histogram` those of the whole layer, `image_maxima` the largest one per image.
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

    def scale(self, percentile: float, population: str) -> float:
        """The percentile over the layer's activations; 100 is the exact maximum.

        If the percentile is 0, the maximum takes its place; that is 0 only if all activations are.
        """
        found = self.histogram.percentile(percentile, population)
        return min(found, self.maximum) if percentile < 100 and found > 0 else self.maximum

    def channel_scales(self, percentile: float, population: str) -> npt.NDArray[np.float64]:
        """The percentile over each channel's activations (channels,), as `scale` for the layer.

        A channel without activations above 0 has the layer's scale.
        """
        found = np.array([c.percentile(percentile, population) for c in self.channels])
        inner = (found > 0) & (percentile < 100)
        scales = np.where(inner, np.minimum(found, self.largest), self.largest)
        return np.where(scales > 0, scales, self.scale(percentile, population))

    def least_error_scale(self, steps: int, start: float) -> float:
        """The layer's scale of least squared error for `steps` steps; 0 without activations."""
        return least_error_scale(self.histogram, self.maximum, steps, start)

    def least_error_scales(self, steps: int, start: float) -> npt.NDArray[np.float64]:
        """As `least_error_scale`, per channel (channels,)."""
        pairs = zip(self.channels, self.largest, strict=True)
        found = [least_error_scale(c, float(top), steps, start) for c, top in pairs]
        return self._or_the_layers(found, lambda: self.least_error_scale(steps, start))

    def balanced_scale(self) -> float:
        """The layer's scale by threshold balancing; 0 without activations."""
        return balanced_scale(self.histogram)

    def balanced_scales(self) -> npt.NDArray[np.float64]:
        """As `balanced_scale`, per channel (channels,)."""
        return self._or_the_layers([balanced_scale(c) for c in self.channels], self.balanced_scale)

    @staticmethod
    def _or_the_layers(found: list[float], layers: Callable[[], float]) -> npt.NDArray[np.float64]:
        """The scales of channels, with the layer's where a channel has no activation above 0."""
        scales = np.array(found)
        return scales if (scales > 0).all() else np.where(scales > 0, scales, layers())

    def channel_means(self) -> npt.NDArray[np.float64]:
        """The mean activation of each channel (channels,), from the middles of the bins."""
        return np.array([(c.middles() * c.counts).sum() / c.total for c in self.channels])

    def share_above(self, scale: npt.NDArray[np.float64]) -> float:
        """Share of all activations above `scale`, which has shape () or (channels,)."""
        if scale.ndim == 0:
            above = self.histogram.above(float(scale))
        else:
            pairs = zip(self.channels, scale, strict=True)
            above = sum(channel.above(float(value)) for channel, value in pairs)
        return above / self.histogram.total


@dataclass(frozen=True, eq=False)
class Statistics:
    """Statistics of all layers whose scale comes from them, by node name, over `images` images.

    `pixels` is the range of the pixels: [0, 1], widened where an image goes beyond it.
    """

    layers: dict[str, LayerStatistics]
    images: int
    pixels: tuple[float, float] = UNIT_RANGE

    @property
    def dead(self) -> tuple[str, ...]:
        """Layers without any activation above zero, whose scale is 1."""
        return tuple(name for name, layer in self.layers.items() if layer.maximum == 0)

    def summary(self) -> dict[str, Any]:
        """Per layer, in order: count, nonzero, max, percentiles over the non-zero activations, and
        histograms to plot of the non-zero activations and of the largest one per image."""
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
        except (OSError, SafetensorError, ValueError, RecursionError) as error:
            raise ValueError(f"{path} holds no activation statistics: {error}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f"{path} holds no activation statistics")
        try:
            layers = {name: _layer(name, tensors) for name in content["layers"]}
            low, high = content.get("pixels", UNIT_RANGE)
            return Statistics(layers, int(content["images"]), (float(low), float(high)))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"{path} holds no activation statistics: {error!r}") from error


def _layer(name: str, tensors: dict[str, np.ndarray]) -> LayerStatistics:
    ends = np.cumsum(tensors[f"{name}/channels/lengths"])[:-1]
    pieces = [
        np.split(tensors[f"{name}/channels/{field}"].astype(np.int64), ends)
        for field in ("bins", "counts")
    ]
    channels = tuple(Histogram(bins, counts) for bins, counts in zip(*pieces, strict=True))
    maxima = Histogram(tensors[f"{name}/image_maxima/bins"], tensors[f"{name}/image_maxima/counts"])
    largest = tensors[f"{name}/largest"]
    if not (np.isfinite(largest).all() and (largest >= 0).all() and len(largest) == len(channels)):
        raise ValueError(f"{name}: the largest activations must be finite, one per channel")
    for histogram in (*channels, maxima):
        bins, counts = histogram.bins, histogram.counts
        rising = bool((np.diff(bins) > 0).all()) and (bins >= 0).all()
        if bins.shape != counts.shape or not rising or not (counts > 0).all():
            raise ValueError(f"{name}: a histogram must hold rising bins and positive counts")
    return LayerStatistics(largest, channels, maxima)


def _summary(layer: LayerStatistics) -> dict[str, Any]:
    top = layer.maximum if layer.maximum > 0 else 1.0
    edges = np.linspace(0, top, PLOT_BINS + 1)
    return {
        "count": layer.histogram.total,
        "nonzero": layer.histogram.total - layer.histogram.zeros,
        "max": layer.maximum,
        "percentiles": {f"{p:g}": layer.scale(p, "nonzero") for p in (*PERCENTILES, 100.0)},
        "histogram": _plotted(layer.histogram, edges),
        "image_maxima": _plotted(layer.image_maxima, edges),
    }


def _plotted(histogram: Histogram, edges: npt.NDArray[np.float64]) -> dict[str, Any]:
    return {"edges": edges.tolist(), "counts": histogram.grouped(edges).tolist()}
