"""A network for 8x8 images that trains in seconds."""

from functools import partial
from typing import TYPE_CHECKING

from ann2snn.ann.network import LAYER_TOGGLES, NETWORKS, Network, Shape

if TYPE_CHECKING:
    from torch import nn

    from ann2snn.ann.settings import AnnSettings


def digits_cnn(
    shape: Shape, classes: int, settings: "AnnSettings", *, normalized: bool = True
) -> "nn.Module":
    from ann2snn.ann.layers import Layers

    layers = Layers(shape, settings, normalized=normalized)
    layers.conv(16, same=True).conv(16, same=True).pool()
    return layers.conv(32, same=True).flatten().classes(classes)


SIZES = "16C3-16C3-P2-32C3 for 8x8 images"
plain = partial(digits_cnn, normalized=False)

NETWORKS.add(Network("digits_cnn", SIZES, digits_cnn, LAYER_TOGGLES))
NETWORKS.add(Network("digits_cnn_plain", f"{SIZES}, not normalized", plain, LAYER_TOGGLES))
