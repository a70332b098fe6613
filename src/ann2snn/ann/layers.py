"""Networks layer by layer, with names that tell them apart: conv1, norm1, relu1, pool1, ..."""

from typing import Self

import torch
from torch import nn

from ann2snn.ann.scaling import BatchScale
from ann2snn.numerics.windows import convolved_size, pool_windows

Shape = tuple[int, ...]


class Layers:
    """A growing sequence of layers that knows the shape of its signal.

    Convolutions and dense layers are followed by batch normalization and ReLU. Batch normalization
    subtracts means and adds a shift: folded into a layer, both are a bias. Without `bias` there is
    therefore none; only while the network trains, `norm` puts a `BatchScale` in its place. `plain`
    layers are followed by nothing but ReLU.
    """

    def __init__(self, shape: Shape, *, pooling: str, bias: bool, training: bool) -> None:
        self.shape = shape
        self.pooling = pooling
        self.bias = bias
        self.training = training
        self.normalized = True
        self.modules: dict[str, nn.Module] = {}

    def plain(self) -> Self:
        """From here on no normalization; layers have biases of their own."""
        self.normalized = False
        return self

    def conv(self, channels: int, kernel: int = 3, *, same: bool = False) -> Self:
        """A square convolution; `same` pads with zeros to keep the size, else it is 'valid'."""
        padding = kernel // 2 if same else 0
        height, width = (convolved_size(n, kernel, 1, 2 * padding, 1) for n in self.shape[1:])
        own = self.bias and not self.normalized
        self._add("conv", nn.Conv2d(self.shape[0], channels, kernel, padding=padding, bias=own))
        self.shape = (channels, height, width)
        if self.bias and self.normalized:
            self._add("norm", nn.BatchNorm2d(channels))
        return self._scale_and_rectify(channels)

    def pool(self, kernel: int = 2) -> Self:
        """A pooling layer whose windows do not overlap."""
        channels, *sizes = self.shape
        height, width = (len(pool_windows(n, kernel, kernel, 0)) for n in sizes)
        pools = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
        self._add("pool", pools[self.pooling](kernel))
        self.shape = (channels, height, width)
        return self

    def flatten(self) -> Self:
        """The image as features."""
        self._add("flatten", nn.Flatten())
        self.shape = (torch.Size(self.shape).numel(),)
        return self

    def dense(self, features: int) -> Self:
        """A fully connected layer of a flat signal."""
        own = self.bias and not self.normalized
        self._add("dense", nn.Linear(self.shape[0], features, bias=own))
        self.shape = (features,)
        if self.bias and self.normalized:
            self._add("norm", nn.BatchNorm1d(features))
        return self._scale_and_rectify(features)

    def classes(self, classes: int, *, output: str) -> nn.Sequential:
        """The network, closed by a layer of `classes` outputs: logits, or a ReLU of them."""
        self.modules["classes"] = nn.Linear(self.shape[0], classes, bias=self.bias)
        if output == "relu":
            self.modules["output"] = nn.ReLU()
        network = nn.Sequential()
        for name, module in self.modules.items():
            network.add_module(name, module)
        return network

    def _scale_and_rectify(self, features: int) -> Self:
        if self.training and self.normalized and not self.bias:
            self._add("norm", BatchScale(features))
        return self._add("relu", nn.ReLU())

    def _add(self, kind: str, module: nn.Module) -> Self:
        number = sum(name.rstrip("0123456789") == kind for name in self.modules) + 1
        self.modules[f"{kind}{number}"] = module
        return self
