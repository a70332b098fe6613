"""Max-pooling of spikes by gates: each passes the signal of the input with the largest estimate."""

from dataclasses import dataclass

import torch

from ann2snn.simulation.stateless import windowed
from ann2snn.spec import MaxPool

Tensor = torch.Tensor

INVERSE_BITS = 27  # 1/t in units of 2^-27, rounded down: sums over 10^6 steps stay below 2^32
DECAY_SHIFT = 4
INCREMENT = 1 << 20


@dataclass
class Gate:
    """A max-pool layer's state: one estimate for each of its inputs (N, C, H, W).

    `rise` keeps sums in the signal's precision, since its inputs may be currents; the estimates of
    the others are whole numbers, so that ties are ties on every machine.
    """

    node: MaxPool
    estimate: Tensor

    @staticmethod
    def fresh(node: MaxPool, signal: Tensor) -> "Gate":
        """The state before the first step, for inputs shaped like `signal` (N, C, H, W)."""
        kind = signal.dtype if node.pooling == "rise" else torch.int64
        return Gate(node, torch.zeros_like(signal, dtype=kind))

    def step(self, signal: Tensor, t: int) -> Tensor:
        """The pool's output in step `t` (from 1), the estimates brought up to it first."""
        gate = self.node.pooling
        if gate == "rise":
            before = windowed(self.node, self.estimate, -torch.inf).amax(-1)
            self.estimate = self.estimate + signal
            return windowed(self.node, self.estimate, -torch.inf).amax(-1) - before
        if gate == "spikes":
            return windowed(self.node, signal, -torch.inf).amax(-1)
        spikes = signal.to(torch.int64)
        if gate == "inverse_time":
            self.estimate = self.estimate + spikes * ((1 << INVERSE_BITS) // t)
        elif gate == "running_mean":
            self.estimate = self.estimate + spikes
        else:
            decayed = self.estimate - (self.estimate >> DECAY_SHIFT)
            self.estimate = decayed + spikes * INCREMENT
        inputs = windowed(self.node, self.estimate, -1)
        # argmax may return any of equal elements, so ties are broken by the place in the window
        places = torch.arange(inputs.shape[-1], device=inputs.device)
        best = (inputs * len(places) + (len(places) - 1 - places)).argmax(-1, keepdim=True)
        return windowed(self.node, signal).gather(-1, best).squeeze(-1)
