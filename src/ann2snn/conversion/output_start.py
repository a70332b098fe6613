"""The step from which an output counts, by what its layers need to answer."""

from collections.abc import Mapping

import numpy as np

from ann2snn.conversion.statistics import Statistics
from ann2snn.spec import Neuron, SpikingSpec
from ann2snn.spec.nodes import Array


def first_counted_step(
    spec: SpikingSpec, statistics: Statistics, scales: Mapping[str, Array]
) -> int:
    """t0 = 1 + sum over neuron layers of (1 - V(0)) / max_c mean(a_c), rounded up: the steps until
    the fastest channel of each layer has spiked, a in units of the scale (SpikingJelly,
    `ann2snn/delay.py`). A layer without activations above 0 adds nothing."""
    steps = 0.0
    for node in spec:
        if isinstance(node, Neuron):
            means = statistics.layers[node.name].channel_means() / scales[node.name]
            if means.max() > 0:
                steps += float(1 - np.mean(node.initial_potential)) / float(means.max())
    return 1 + int(np.ceil(steps))
