"""The numbers that an engine gives for a block of images: a row per image, so that blocks join as
they come."""

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from ann2snn.spec import SpikingSpec
from ann2snn.spec.cost import event_costs

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass
class Block:
    """Per image and step: spikes of each spiking node, of both signs, and the `negative` ones among
    them; synaptic operations of each Conv and Linear, operations of each pool, and the signal that
    the output receives (images, steps, classes). `taken` are the steps of each image, all of them
    unless it left early: then later ones hold zeros.

    An input unit whose signal is not 0 in a step is one event, whatever its value, or two where it
    is of 2 spikes. An event costs a Conv or Linear as many synaptic operations as synapses leave
    its unit, and a pool as many operations as windows hold its unit (`spec.cost.event_costs`). So
    behind spikes, and behind max-pooling of spikes, a spike costs its fan-out; behind
    average-pooling (`SumPool`) a window with any spike costs the window's fan-out once, however
    many it holds. Biases cost nothing, and neither does the layer of an analog image, whose signal
    does not change with time: it is charged as multiply-accumulates, once.

    `largest` is the largest |potential before reset| of each neuron layer, by image. `counts`,
    `potentials` and `trains` are kept on request: total spikes and final potentials (images,
    units), spikes of chosen units (images, steps, units). `compared` are the sums of a run that
    holds rates against activations, of the block as a whole.
    """

    taken: Counts
    outputs: Reals
    spikes: dict[str, Counts] = field(default_factory=dict)
    negative: dict[str, Counts] = field(default_factory=dict)
    synops: dict[str, Counts] = field(default_factory=dict)
    pool_operations: dict[str, Counts] = field(default_factory=dict)
    largest: dict[str, Reals] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    potentials: dict[str, Reals] = field(default_factory=dict)
    trains: dict[str, npt.NDArray[np.integer | np.bool_]] = field(default_factory=dict)
    compared: dict[str, np.ndarray] = field(default_factory=dict)

    def put(self, rows: npt.NDArray[np.int64], other: "Block") -> None:
        """Replaces the images at `rows` by those of `other`, in their order."""
        theirs = other.arrays()
        for name, array in self.arrays().items():
            array[rows] = theirs[name]

    @staticmethod
    def empty(spec: SpikingSpec, images: int, steps: int) -> "Block":
        """Zeros for all that is counted by image and step."""
        block = Block(np.full(images, steps), np.zeros((images, steps, spec.classes)))
        for name, (operations, _) in event_costs(spec).items():
            getattr(block, operations)[name] = np.zeros((images, steps), np.int64)
        for node in spec:
            if spec.sends_spikes(node):
                block.spikes[node.name] = np.zeros((images, steps), np.int64)
            if spec.sends_spikes(node) and spec.is_signed(node.name):
                block.negative[node.name] = np.zeros((images, steps), np.int64)
        return block

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by `field` or `field/node`."""
        named: dict[str, np.ndarray] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, dict):
                named |= {f"{part.name}/{node}": array for node, array in value.items()}
            else:
                named[part.name] = value
        return named
