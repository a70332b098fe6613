"""The cost of an event: fan-out with exact borders, and the analog network's multiply-accumulates.

An event is a unit whose signal is not 0 in a step: a spike (2 in a step are two), or the sum of a
pool's window that holds any.
"""

import math
from functools import lru_cache

from ann2snn.spec.graph import SpikingSpec
from ann2snn.spec.nodes import Counts, Node
from ann2snn.spec.nodes.node import Cost


@lru_cache(maxsize=4)
def event_costs(spec: SpikingSpec) -> dict[str, Cost]:
    """The operations that an event at each input unit costs, with their name, by node; nodes at
    which events cost nothing are left out."""
    costs = {
        node.name: node.cost(spec.shapes[node.inputs[0]]) if node.inputs else None for node in spec
    }
    return {name: cost for name, cost in costs.items() if cost is not None}


def fan_out(spec: SpikingSpec, node: Node) -> Counts | None:
    """Synapses that leave each unit of the node's input, in its shape; None where there are no
    synapses."""
    operations, counts = event_costs(spec).get(node.name, ("", None))
    return counts if operations == "synops" else None


def multiply_accumulates(spec: SpikingSpec, node: Node) -> int:
    """Multiplications of one analog forward pass in a node; padding costs none."""
    synapses = fan_out(spec, node)
    return 0 if synapses is None else int(synapses.sum())


def macs_per_image(spec: SpikingSpec) -> int:
    """Multiply-accumulates of the analog network for one image: those of all nodes."""
    return sum(multiply_accumulates(spec, node) for node in spec)


def parameters(node: Node) -> int:
    """Weights, gains and biases of a node."""
    arrays = (getattr(node, name, None) for name in ("weight", "gain", "bias"))
    return sum(math.prod(array.shape) for array in arrays if array is not None)
