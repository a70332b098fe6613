"""Networks layer by layer, with names that tell them apart: conv1, norm1, relu1, pool1, ..."""

from collections.abc import Callable
from typing import Self

import torch
from torch import nn

from ann2snn.ann.network import Shape
from ann2snn.ann.scaling import BatchScale
from ann2snn.ann.settings import AnnSettings
from ann2snn.numerics.quantized_relu import QuantizedReLU
from ann2snn.numerics.windows import convolved_size, pool_windows

ACTIVATIONS: dict[str, Callable[[AnnSettings], nn.Module]] = {
    "relu": lambda settings: nn.ReLU(),  # noqa: ARG005
    "quantized": lambda settings: QuantizedReLU(settings.levels),
}
POOLS = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


def activation_of(settings: AnnSettings) -> nn.Module:
    """The activation that follows every layer but the last."""
    return ACTIVATIONS[settings.activation](settings)


class Layers:
    """A growing sequence of layers that knows the shape of its signal.

    Convolutions and dense layers are followed by batch normalization and ReLU. Batch normalization
    subtracts means and adds a shift: folded into a layer, both are a bias. With `settings.bias`
    false a `BatchScale` therefore stands in its place. Layers that are not `normalized` have biases
    of their own and are followed by nothing but ReLU.
    """

    def __init__(self, shape: Shape, settings: AnnSettings, *, normalized: bool = True) -> None:
        self.shape = shape
        self.settings = settings
        self.normalized = normalized
        self.own_bias = settings.bias and not normalized
        self.network = nn.Sequential()

    def conv(self, channels: int, kernel: int = 3, *, same: bool = False) -> Self:
        """A square convolution; `same` pads with zeros to keep the size, else it is 'valid'."""
        padding = kernel // 2 if same else 0
        height, width = (convolved_size(n, kernel, 1, 2 * padding, 1) for n in self.shape[1:])
        own = self.own_bias
        self._add("conv", nn.Conv2d(self.shape[0], channels, kernel, padding=padding, bias=own))
        self.shape = (channels, height, width)
        return self._normalize_and_rectify(nn.BatchNorm2d)

    def pool(self, kernel: int = 2) -> Self:
        """A pooling layer whose windows do not overlap."""
        channels, *sizes = self.shape
        height, width = (len(pool_windows(n, kernel, kernel, 0)) for n in sizes)
        self.shape = (channels, height, width)
        return self._add("pool", POOLS[self.settings.pooling](kernel))

    def flatten(self) -> Self:
        """The image as features."""
        self.shape = (torch.Size(self.shape).numel(),)
        return self._add("flatten", nn.Flatten())

    def dense(self, features: int) -> Self:
        """A fully connected layer of a flat signal."""
        self._add("dense", nn.Linear(self.shape[0], features, bias=self.own_bias))
        self.shape = (features,)
        return self._normalize_and_rectify(nn.BatchNorm1d)

    def classes(self, classes: int) -> nn.Sequential:
        """The network, closed by a layer of `classes` outputs: logits, or a ReLU of them."""
        closing = nn.Linear(self.shape[0], classes, bias=self.settings.bias)
        self.network.add_module("classes", closing)
        if self.settings.output == "relu":
            self.network.add_module("output", nn.ReLU())
        return self.network

    def _normalize_and_rectify(self, norm: type[nn.BatchNorm1d] | type[nn.BatchNorm2d]) -> Self:
        if self.normalized:
            features = self.shape[0]
            self._add("norm", norm(features) if self.settings.bias else BatchScale(features))
        return self._add("relu", activation_of(self.settings))

    def _add(self, kind: str, module: nn.Module) -> Self:
        same = sum(name.rstrip("0123456789") == kind for name, _ in self.network.named_children())
        self.network.add_module(f"{kind}{same + 1}", module)
        return self
