"""Max-pooling of spikes, as the rows of `POOLINGS` say."""

from dataclasses import dataclass

import torch

from ann2snn.mechanisms.poolings import POOLINGS, Pooling
from ann2snn.simulation.dense.layers import windowed
from ann2snn.spec import MaxPool

Tensor = torch.Tensor


@dataclass
class PoolState:
    """One estimate for each input (N, C, H, W) of a max-pool.

    Sums of currents are kept in the signal's precision; other estimates are whole numbers, so that
    ties are ties on every machine.
    """

    node: MaxPool
    row: Pooling
    estimate: Tensor

    @staticmethod
    def fresh(node: MaxPool, signal: Tensor) -> "PoolState":
        """The state before the first step, for inputs shaped like `signal` (N, C, H, W)."""
        row = POOLINGS[node.pooling]
        kind = signal.dtype if row.currents else torch.int64
        return PoolState(node, row, torch.zeros_like(signal, dtype=kind))

    def step(self, signal: Tensor, t: int) -> Tensor:
        """The pool's output in step `t` (from 1), the estimates brought up to it first."""
        if self.row.estimate is None:
            return self._largest(signal)
        before = self.estimate
        self.estimate = self.row.estimate(before, signal.to(before.dtype), t)
        if self.row.passes == "growth":
            return (self._largest(self.estimate) - self._largest(before)).to(signal.dtype)
        inputs = windowed(self.node, self.estimate, -1)
        # argmax may return any of equal elements, so ties are broken by the place in the window
        places = torch.arange(inputs.shape[-1], device=inputs.device)
        best = (inputs * len(places) + (len(places) - 1 - places)).argmax(-1, keepdim=True)
        return windowed(self.node, signal).gather(-1, best).squeeze(-1)

    def _largest(self, signal: Tensor) -> Tensor:
        outside = -torch.inf if signal.dtype.is_floating_point else -1
        return windowed(self.node, signal, outside).amax(-1)
