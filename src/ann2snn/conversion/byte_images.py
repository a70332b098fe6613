"""Images of bytes, which stand for pixels k / 255, before networks that divide them as well."""

import numpy as np

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.refusal import ConversionError
from ann2snn.spec import Affine, MaxPool, Reshape, Select

SMALLEST = 1 / 32
"""Of what a network's first operations multiply its pixels by: to divide by a deviation enlarges
them, and (k / 255 - mean) / deviation is about k / 60."""


def hold_undivided(graph: AnalogGraph) -> None:
    """Follows what scales and shifts the images before the first layers, on every path.

    Raises:
        ConversionError: it divides them, as a network for numbers of 0 to 255 does.
    """
    reached = [("input", 1.0, "")]
    while reached:
        name, gain, last = reached.pop()
        for node in graph.readers(name):
            if isinstance(node, Affine):
                own = gain * float(np.abs(node.gain).max())
                reached.append((node.name, own, node.name))
            elif isinstance(node, Reshape | Select | MaxPool):
                reached.append((node.name, gain, last))
            elif 0 < gain < SMALLEST:
                raise ConversionError(
                    f"{last}: the network divides its images by about {1 / gain:.0f} itself, and"
                    " those of bytes stand for k / 255 already; instead: levels=1, so that it gets"
                    " numbers of 0 to 255, or levels=255 if both divisions are meant"
                )
