"""One scale for the sums of a residual stream without a ReLU.

In MobileNet v2 the sum of a block goes to the next block's sum as it is. With a scale for each sum,
a gain stands between any two of them; it has as many bits behind the point as the grid, so after n
blocks a signal has n times as many, and no format holds it. In one scale there is no gain.
"""

import numpy as np

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.statistics import Statistics
from ann2snn.spec import Add, Neuron
from ann2snn.spec.nodes import Array


def one_scale_per_stream(
    graph: AnalogGraph, statistics: Statistics, scales: dict[str, Array]
) -> dict[str, Array]:
    """The scales of all points; currents that are added to each other have the largest of theirs,
    not counting those that were never above zero."""
    stream = {name: name for name in scales}
    for node in graph:
        if isinstance(node, Add) and node.name in scales:
            for source in node.inputs:
                if source in scales and not isinstance(graph.nodes[source], Neuron):
                    old, new = stream[source], stream[node.name]
                    stream = {name: new if its == old else its for name, its in stream.items()}
    found = dict(scales)
    for leader in set(stream.values()):
        members = [name for name in scales if stream[name] == leader]
        alive = [name for name in members if name not in statistics.dead]
        if len(members) > 1:
            largest = max(float(scales[name].max()) for name in alive or members)
            found |= dict.fromkeys(members, np.array(largest))
    return found
