"""A ReLU that gives what an SNN of few steps can give: whole spikes out of `levels` steps."""

from typing import Any

import torch
from torch import Tensor, nn


class _Rounded(torch.autograd.Function):
    """floor(x L + 1/2) / L, whose gradient is that of x."""

    @staticmethod
    def forward(context: Any, share: Tensor, levels: int) -> Tensor:  # noqa: ARG004
        return torch.floor(share * levels + 0.5) / levels

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004
        return gradient, None


class QuantizedReLU(nn.Module):
    """c clip(floor(x L / c + 1/2) / L, 0, 1) with a learned ceiling c: quantize, clip, floor, shift
    (Bu et al. 2022, 'Optimal ANN-SNN conversion for high-accuracy and ultra-low-latency spiking
    neural networks').

    Converted, c is the neurons' scale: with an initial potential of 1/2 and L steps, a neuron at
    a constant current sends the L x / c spikes that this rounds to.

    Raises:
        ValueError: there is not one level.
    """

    def __init__(self, levels: int, ceiling: float = 1.0) -> None:
        super().__init__()
        if levels < 1:
            raise ValueError(f"levels must be at least 1, got {levels}")
        self.levels = levels
        self.ceiling = nn.Parameter(torch.tensor(float(ceiling)))

    def forward(self, signal: Tensor) -> Tensor:
        share = (signal / self.ceiling).clamp(0, 1)
        rounded: Tensor = _Rounded.apply(share, self.levels)
        return rounded * self.ceiling

    def extra_repr(self) -> str:
        return f"levels={self.levels}"
