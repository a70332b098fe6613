"""Images of bytes, which stand for pixels k / 255, before networks that divide them as well."""

import numpy as np

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.refusal import ConversionError
from ann2snn.spec import Affine

SMALLEST = 1 / 32
"""Of what a network's first operations multiply its pixels by: to divide by a deviation enlarges
them, and (k / 255 - mean) / deviation is about k / 60."""


def hold_undivided(graph: AnalogGraph) -> None:
    """Follows what scales and shifts the images before the first layer.

    Raises:
        ConversionError: it divides them, as a network for numbers of 0 to 255 does.
    """
    gain, name = 1.0, "input"
    while True:
        readers = [node for node in graph.nodes.values() if name in node.inputs]
        if len(readers) != 1 or not isinstance(readers[0], Affine):
            break
        gain, name = gain * float(np.abs(readers[0].gain).max()), readers[0].name
    if 0 < gain < SMALLEST:
        raise ConversionError(
            f"{name}: the network divides its images by about {1 / gain:.0f} itself, and those of"
            " bytes stand for k / 255 already; instead: levels=1, so that it gets numbers of 0 to"
            " 255, or levels=255 if both divisions are meant"
        )
