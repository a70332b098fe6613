"""The four-convolution network of Rueckauer et al. 2016 for CIFAR-10."""

from functools import partial
from typing import TYPE_CHECKING

from ann2snn.ann.network import LAYER_TOGGLES, NETWORKS, Network, Shape

if TYPE_CHECKING:
    from torch import nn

    from ann2snn.ann.settings import AnnSettings


def cifar10_cnn(
    shape: Shape, classes: int, settings: "AnnSettings", *, normalized: bool = True
) -> "nn.Module":
    """The first two convolutions keep the size, the others are 'valid'; on 3x32x32 images and ten
    classes it has 1.25 million parameters and 87,818 neurons, the outputs among them."""
    from ann2snn.ann.layers import Layers

    layers = Layers(shape, settings, normalized=normalized)
    layers.conv(32, same=True).conv(32, same=True).pool()
    return layers.conv(64).conv(64).pool().flatten().dense(512).classes(classes)


SIZES = "32C3-32C3-P2-64C3-64C3-P2-512, the four-convolution network of the paper"
plain = partial(cifar10_cnn, normalized=False)

NETWORKS.add(Network("cifar10_cnn", SIZES, cifar10_cnn, LAYER_TOGGLES))
NETWORKS.add(Network("cifar10_cnn_plain", f"{SIZES}, not normalized", plain, LAYER_TOGGLES))
