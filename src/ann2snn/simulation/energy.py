"""An estimate of the energy of a run's operations, by layer.

It knows arithmetic only, no memory and no leakage, so it compares networks, not chips.
"""

from dataclasses import dataclass

from ann2snn.spec import SpikingSpec
from ann2snn.spec.cost import fan_out, multiply_accumulates

ADD, MULTIPLY_ADD = 0.9, 4.6
"""Picojoules of an addition, and of a multiplication with an addition, of 32-bit floats in 45 nm
(Horowitz 2014, Computing's energy problem, figure 1.1.9: 0.9 and 3.7 + 0.9)."""


@dataclass(frozen=True)
class LayerEnergy:
    """Nanojoules of one image in one layer: of the spiking network and of the analog one."""

    spiking: float
    analog: float


def energies(
    spec: SpikingSpec, synops_per_image: dict[str, float], add: float, multiply_add: float
) -> dict[str, LayerEnergy]:
    """Of each layer with synapses: a synaptic operation costs an addition; the analog network, and
    a layer whose input does not change with time, once, a multiplication and an addition for each
    synapse."""
    found = {}
    for node in spec:
        if fan_out(spec, node) is None:
            continue
        analog = multiply_accumulates(spec, node) * multiply_add / 1000
        events = synops_per_image.get(node.name, 0.0) * add / 1000
        spiking = analog if spec.is_static(node.name) else events
        found[node.name] = LayerEnergy(spiking, analog)
    return found
