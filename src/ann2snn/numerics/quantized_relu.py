"""A ReLU that gives what an SNN of few steps can give: whole spikes out of `levels` steps."""

import torch
from torch import Tensor, nn


class QuantizedReLU(nn.Module):
    """c/L clip(floor(x L / c + 1/2), 0, L) with a learned ceiling c: quantize, clip, floor, shift
    (Bu et al. 2022, 'Optimal ANN-SNN conversion for high-accuracy and ultra-low-latency').

    Its gradient passes the floor as if that were not there.
    """

    def __init__(self, levels: int, ceiling: float = 1.0) -> None:
        super().__init__()
        self.levels = levels
        self.ceiling = nn.Parameter(torch.tensor(float(ceiling)))

    def forward(self, signal: Tensor) -> Tensor:
        share = (signal / self.ceiling).clamp(0, 1)
        whole = torch.floor(share.detach() * self.levels + 0.5) / self.levels
        return (share + (whole - share.detach())) * self.ceiling

    def extra_repr(self) -> str:
        return f"levels={self.levels}"
