"""Statistics of a network over calibration images, in one streaming pass of bounded memory.

Images pass through the analog network in chunks of a fixed size, the last one filled up. Only whole
numbers and maxima are kept, so neither batches nor order change a bit.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.analog_network import graph_network
from ann2snn.conversion.statistics import UNIT_RANGE, LayerStatistics, Statistics
from ann2snn.conversion.threshold_units import scale_points

CHUNK = 100


def collect(graph: AnalogGraph, images: npt.NDArray[Any], levels: int) -> Statistics:
    """Statistics over `images` (N, *shape) of whole numbers k, which stand for pixels k / levels.

    Raises:
        ValueError: there are no images, or activations that are not finite.
    """
    from ann2snn.conversion.activation_counts import ActivationCounts  # only this needs numba

    if not len(images):
        raise ValueError("statistics need at least one calibration image, got 0")
    network = graph_network(graph)
    shapes = graph.shapes()
    counts = {name: ActivationCounts(name, shapes[name]) for name in scale_points(graph)}
    for start in range(0, len(images), CHUNK):
        block = np.asarray(images[start : start + CHUNK])
        kept = len(block)
        # kernels give other last bits for other batch sizes: every chunk has the same
        filled = np.concatenate([block, np.zeros((CHUNK - kept, *block.shape[1:]), block.dtype)])
        pixels = torch.from_numpy(filled).to(graph.precision) / levels
        for node, signal in network.signals(pixels):
            if node.name in counts:
                counts[node.name].add(signal[:kept])
    layers = {
        name: LayerStatistics(counted.largest, counted.channels(), counted.image_maxima())
        for name, counted in counts.items()
    }
    low, high = UNIT_RANGE
    pixels_seen = min(low, float(images.min()) / levels), max(high, float(images.max()) / levels)
    return Statistics(layers, len(images), pixels_seen)
