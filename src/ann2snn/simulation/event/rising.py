"""Which signed signals never fall."""

import numpy as np

from ann2snn.spec import Neuron, SpikingSpec


def rising_signals(spec: SpikingSpec) -> set[str]:
    """Signals of signed spikes that never have a negative one, so that they are as unsigned ones.

    Neurons whose current I stays the same have none if each V(0) is below the threshold: where
    I >= 0, a potential that is not negative stays so, and one that is has sent nothing; where
    I < 0, no neuron ever sends a spike. What hands on such signals alone has none either: the
    largest of counts that never fall never falls.
    """
    found: set[str] = set()
    for node in spec:
        rises = found.issuperset(node.inputs)
        if isinstance(node, Neuron):
            below = bool(np.all(np.asarray(node.initial_potential) < 1))
            rises = below and spec.is_static(node.inputs[0])
        if rises and spec.is_signed(node.name):
            found.add(node.name)
    return found
