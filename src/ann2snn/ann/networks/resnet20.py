"""ResNet-20 for CIFAR (He et al. 2016, section 4.2)."""

from functools import partial
from typing import TYPE_CHECKING

from ann2snn.ann.network import ACTIVATION_TOGGLES, NETWORKS, Network, Shape

if TYPE_CHECKING:
    from torch import nn

    from ann2snn.ann.settings import AnnSettings

STAGES = ((16, 1), (32, 2), (64, 2))
BLOCKS = 3


def resnet20(shape: Shape, classes: int, settings: "AnnSettings") -> "nn.Module":
    """A convolution, three stages of three residual blocks, a mean over space, the classes: 0.27
    million parameters and 41 million multiply-accumulates on 3x32x32 images.

    Raises:
        ValueError: the images are none (C, H, W).
    """
    from torch import nn

    from ann2snn.ann.layers import activation_of
    from ann2snn.ann.residual import ResidualBlock

    if len(shape) != 3:
        raise ValueError("it takes images (C, H, W)")
    before = STAGES[0][0]
    network = nn.Sequential()
    network.add_module("conv1", nn.Conv2d(shape[0], before, 3, padding=1, bias=False))
    network.add_module("norm1", nn.BatchNorm2d(before))
    network.add_module("relu1", activation_of(settings))
    for stage, (width, stride) in enumerate(STAGES, 1):
        for place in range(BLOCKS):
            step = stride if place == 0 else 1
            block = ResidualBlock(before, width, step, partial(activation_of, settings))
            network.add_module(f"block{stage}_{place + 1}", block)
            before = width
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    network.add_module("classes", nn.Linear(before, classes))
    return network


MEANING = "16C3, then three stages of three residual blocks with 16, 32 and 64 channels"

NETWORKS.add(Network("resnet20", MEANING, resnet20, ACTIVATION_TOGGLES))
