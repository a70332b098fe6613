"""Statistics of a network over calibration images, in one streaming pass of bounded memory.

Images of one shape pass through the analog network in chunks of one size, the last one filled up.
Only whole numbers and maxima are kept, so neither batches nor order change a bit.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.analog_network import graph_network
from ann2snn.conversion.statistics import LayerStatistics, Statistics
from ann2snn.conversion.threshold_units import scale_points
from ann2snn.spec.graph import UNIT_RANGE

CHUNK = 100  # images of up to 32 x 32 pixels in three colours
PIXELS = 3 * 32 * 32


def collect(
    graph: AnalogGraph, images: npt.NDArray[Any] | Iterable[npt.NDArray[Any]], levels: int
) -> Statistics:
    """Statistics over `images` (N, *shape), or batches of them, of whole numbers k, which stand for
    pixels k / levels.

    Raises:
        ValueError: there are no images, or activations that are not finite.
    """
    from ann2snn.conversion.activation_counts import ActivationCounts  # only this needs numba

    network = graph_network(graph)
    shapes = graph.shapes()
    counts = {name: ActivationCounts(name, shapes[name]) for name in scale_points(graph)}
    seen, (low, high) = 0, UNIT_RANGE
    for block in chunks([images] if isinstance(images, np.ndarray) else images):
        kept, size = len(block), chunk_size(block.shape[1:])
        # kernels give other last bits for other batch sizes: every chunk has the same
        filled = np.concatenate([block, np.zeros((size - kept, *block.shape[1:]), block.dtype)])
        pixels = torch.from_numpy(filled).to(graph.precision) / levels
        for node, signal in network.signals(pixels):
            if node.name in counts:
                counts[node.name].add(signal[:kept])
        seen += kept
        low = min(low, float(block.min()) / levels)
        high = max(high, float(block.max()) / levels)
    if not seen:
        raise ValueError("statistics need at least one calibration image, got 0")
    layers = {
        name: LayerStatistics(counted.largest, counted.channels(), counted.image_maxima())
        for name, counted in counts.items()
    }
    return Statistics(layers, seen, (low, high))


def chunk_size(shape: tuple[int, ...]) -> int:
    """Images of a chunk: fewer the larger they are, so that neither memory nor the time for a
    single image grows beyond that of small ones."""
    return max(1, CHUNK * PIXELS // max(math.prod(shape), PIXELS))


def chunks(batches: Iterable[npt.NDArray[Any]]) -> Iterator[npt.NDArray[Any]]:
    """The same images in chunks of one size, the last one of what is left."""
    kept: list[npt.NDArray[Any]] = []
    for batch in batches:
        start, size = 0, chunk_size(batch.shape[1:])
        while start < len(batch):
            end = start + size - sum(len(part) for part in kept)
            kept.append(np.asarray(batch[start:end]))
            start = end
            if sum(len(part) for part in kept) == size:
                yield np.concatenate(kept)
                kept = []
    if kept:
        yield np.concatenate(kept)
