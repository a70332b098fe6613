"""What an engine gives for a block of images: a row for each, so that blocks join as they come."""

from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass
class Block:
    """Per image and step: spikes of each spiking node, synaptic operations of each Conv and Linear,
    operations of each pool, and the signal that the output receives (images, steps, classes).

    An input unit whose signal is not 0 in a step is one event, whatever its value. An event costs a
    Conv or Linear as many synaptic operations as synapses leave its unit (`spec.cost.fan_out`), and
    a pool as many operations as windows hold its unit. So behind spikes, and behind max-pooling of
    spikes, a spike costs its fan-out; behind average-pooling (`SumPool`) a window with any spike
    costs the window's fan-out once, however many it holds. Biases cost nothing, and so does what
    reads a signal that does not change with time: an analog image's layer, which is charged as
    multiply-accumulates, once.

    `largest` is the largest |potential before reset| of each neuron layer, by image. `counts`,
    `potentials` and `trains` are kept on request: total spikes and final potentials (images,
    units), spikes of chosen units (images, steps, units).
    """

    outputs: Reals
    spikes: dict[str, Counts] = field(default_factory=dict)
    synops: dict[str, Counts] = field(default_factory=dict)
    pool_operations: dict[str, Counts] = field(default_factory=dict)
    largest: dict[str, Reals] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    potentials: dict[str, Reals] = field(default_factory=dict)
    trains: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def put(self, rows: npt.NDArray[np.int64], other: "Block") -> None:
        """Replaces the images at `rows` by those of `other`, in their order."""
        theirs = other.arrays()
        for name, array in self.arrays().items():
            array[rows] = theirs[name]

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by `field` or `field/node`, to store."""
        named: dict[str, np.ndarray] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, dict):
                named |= {f"{part.name}/{node}": array for node, array in value.items()}
            else:
                named[part.name] = value
        return named

    @staticmethod
    def of(arrays: dict[str, np.ndarray]) -> "Block":
        """The block that `arrays` came from."""
        block = Block(arrays["outputs"])
        for name, array in arrays.items():
            part, _, node = name.partition("/")
            if node:
                getattr(block, part)[node] = array
        return block
