"""Residual blocks of two convolutions."""

from collections.abc import Callable

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """relu(F(x) + S(x)): F two 3x3 convolutions with batch normalization, S the signal itself, or
    where the shape changes a 1x1 convolution with batch normalization (He et al. 2016, option B).
    """

    def __init__(
        self, before: int, width: int, stride: int, activation: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu1 = activation()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != width:
            projection = nn.Conv2d(before, width, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(width))
        self.relu2 = activation()

    def forward(self, signal: Tensor) -> Tensor:
        inner = self.relu1(self.norm1(self.conv1(signal)))
        summed: Tensor = self.relu2(self.norm2(self.conv2(inner)) + self.shortcut(signal))
        return summed
