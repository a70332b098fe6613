"""The activation that one spike a step stands for, layer by layer."""

import numpy as np

from ann2snn.conversion.graph import ONE, AnalogGraph
from ann2snn.conversion.points import points
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.statistics import LayerStatistics, Statistics
from ann2snn.spec import Neuron, Node, Output
from ann2snn.spec.nodes import Array


def scales(
    graph: AnalogGraph, statistics: Statistics, settings: ConversionSettings
) -> dict[str, Array]:
    """lambda of every point of the graph, shape () or (channels,).

    A layer without any activation above zero gets 1; a saturating ReLU at most its ceiling.

    Raises:
        ConversionError: the statistics are of another network.
    """
    names = points(graph)
    if names != list(statistics.layers):
        raise ConversionError(
            f"the statistics are of another network: they know {', '.join(statistics.layers)}; "
            f"this one needs {', '.join(names)}"
        )
    if settings.normalization == "model":
        from ann2snn.conversion.bounds import largest_possible

        bounds = largest_possible(graph, statistics.pixels)
        found = {name: np.array(bounds[name]) for name in names}
    else:
        found = {
            name: _scale(graph, graph.nodes[name], statistics.layers[name], settings)
            for name in names
        }
    for name, value in found.items():
        alive = np.where(value > 0, value, 1.0)
        found[name] = np.minimum(alive, graph.ceilings.get(name, np.inf))
    return found


def dead_layers(statistics: Statistics) -> list[str]:
    """Layers without any activation above zero on the calibration set, whose scale is 1."""
    return [name for name, layer in statistics.layers.items() if layer.maximum == 0]


def _scale(
    graph: AnalogGraph, node: Node, layer: LayerStatistics, settings: ConversionSettings
) -> Array:
    match settings.normalization:
        case "none":
            return ONE
        case "max":
            return np.array(layer.scale(100, settings.population))
        case "channel" if isinstance(node, Neuron) and not _answers(graph, node):
            return layer.channel_scales(settings.percentile, settings.population)
        case _:
            return np.array(layer.scale(settings.percentile, settings.population))


def _answers(graph: AnalogGraph, node: Neuron) -> bool:
    """Whether the output reads these neurons: classes compare in one unit."""
    return any(isinstance(reader, Output) for reader in graph.readers(node.name))


def saturating_share(layer: LayerStatistics, scale: Array) -> float:
    """Share of all activations of the calibration set above `scale`."""
    if scale.ndim == 0:
        above = layer.histogram.above(float(scale))
    else:
        pairs = zip(layer.channels, scale, strict=True)
        above = sum(channel.above(float(value)) for channel, value in pairs)
    return above / layer.histogram.total
