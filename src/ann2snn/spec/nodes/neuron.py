"""The one kind of node that fires."""

from dataclasses import dataclass

import numpy as np

from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.spec.nodes.node import Array, Changing, Shape

# by the values of the spikes
SIGNAL_OF = {(0, 1): "spikes", (-1, 0, 1): "signed", (-1, 0, 1, 2): "burst"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Neuron(Changing):
    """Integrate-and-fire neurons with threshold 1.

    V <- V + current; a spike where `spikes` says so of V (binary: where V >= 1); then the reset,
    V <- V - spikes (subtract) or V <- 0 (zero) where it spiked. V starts at `initial_potential`, in
    [0, 1) for all neurons, or an array of any potentials, one per neuron in the signal's shape.

    `saturating` is the share of the layer's calibration activations that the largest rate, of as
    many spikes a step as the kind of spike has at most, cannot express.
    """

    reset: str = "subtract"
    initial_potential: float | Array = 0.0
    saturating: float = 0.0
    spikes: str = "binary"

    mechanisms = ("reset", RESETS), ("spikes", SPIKES)

    def __post_init__(self) -> None:
        super().__post_init__()
        fitting, levels = SPIKES[self.spikes].resets, SPIKES[self.spikes].levels
        self._require(
            not fitting or self.reset in fitting,
            f"spikes {self.spikes} go with reset {' or '.join(fitting)}, got {self.reset}",
        )
        self._require(
            levels in SIGNAL_OF,
            f"spikes {self.spikes} must have the values"
            f" {' or '.join(map(str, SIGNAL_OF))}, got {levels}",
        )
        if isinstance(self.initial_potential, np.ndarray):
            return
        self._require(
            0 <= self.initial_potential < 1,
            f"initial_potential must be in [0, 1), got {self.initial_potential}",
        )

    def output_shape(self, shapes: list[Shape]) -> Shape:
        start = self.initial_potential
        if isinstance(start, np.ndarray):
            self._require(
                start.shape == shapes[0],
                f"initial_potential must have shape {shapes[0]}, got {start.shape}",
            )
        return shapes[0]

    def signal(self, inputs: list[str]) -> str:  # noqa: ARG002
        return SIGNAL_OF[SPIKES[self.spikes].levels]

    def bound(self, inputs: list[float]) -> float:  # noqa: ARG002
        return float(max(abs(level) for level in SPIKES[self.spikes].levels))
