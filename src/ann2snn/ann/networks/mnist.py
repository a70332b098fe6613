"""A network for MNIST."""

from typing import TYPE_CHECKING

from ann2snn.ann.network import LAYER_TOGGLES, NETWORKS, Network, Shape

if TYPE_CHECKING:
    from torch import nn

    from ann2snn.ann.settings import AnnSettings


def mnist_cnn(shape: Shape, classes: int, settings: "AnnSettings") -> "nn.Module":
    """32C3-32C3-P2-64C3-64C3-P2 and the classes: seven layers with the pooling ones."""
    from ann2snn.ann.layers import Layers

    layers = Layers(shape, settings)
    layers.conv(32, same=True).conv(32, same=True).pool()
    return layers.conv(64).conv(64).pool().flatten().classes(classes)


NETWORKS.add(Network("mnist_cnn", "32C3-32C3-P2-64C3-64C3-P2", mnist_cnn, LAYER_TOGGLES))
