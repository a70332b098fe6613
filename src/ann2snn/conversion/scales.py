"""The activation that one spike per step stands for, layer by layer."""

import numpy as np

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.largest_activations import largest_possible
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.statistics import Statistics
from ann2snn.conversion.threshold_units import scale_points
from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.spec import Neuron, Output
from ann2snn.spec.nodes import Array


def scales(
    graph: AnalogGraph, statistics: Statistics, settings: ConversionSettings
) -> dict[str, Array]:
    """lambda of every scale point of the graph, shape () or (channels,).

    A layer without any activation above zero gets 1; a saturating ReLU at most its ceiling, and
    a quantized one its ceiling.

    Raises:
        ConversionError: the statistics are of another network, or a layer's scale is no number.
    """
    names = scale_points(graph)
    if names != list(statistics.layers):
        raise ConversionError(
            f"the statistics are of another network: they know {', '.join(statistics.layers)}; "
            f"this one needs {', '.join(names)}"
        )
    row = NORMALIZATIONS[settings.normalization]
    bounds = largest_possible(graph, statistics.pixels) if row.needs_bound else {}
    found = {}
    for name, layer in statistics.layers.items():
        if row.channel_scales is not None and _channels_may_differ(graph, name):
            value = row.channel_scales(layer, settings)
        else:
            value = row.scale(layer, settings, bounds.get(name))
        if not np.isfinite(value).all():
            raise ConversionError(
                f"{name}: normalization={row.name} gives it the scale {np.asarray(value).tolist()},"
                " and a scale must be finite"
            )
        alive = np.where(np.asarray(value) > 0, value, 1.0)
        found[name] = np.minimum(alive, graph.ceilings.get(name, np.inf))
    found |= {name: np.array(graph.ceilings[name]) for name in graph.levels}
    return found


def _channels_may_differ(graph: AnalogGraph, name: str) -> bool:
    """Whether these are neurons, and not the classes, which are compared in one unit."""
    classes = any(isinstance(reader, Output) for reader in graph.readers(name))
    return isinstance(graph.nodes[name], Neuron) and not classes
