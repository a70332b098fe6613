"""The networks: those built in, and any that a user names."""

import importlib
from collections.abc import Callable

import torch
from torch import nn

from ann2snn.ann.layers import Layers, Shape
from ann2snn.ann.settings import AnnSettings


def digits_cnn(layers: Layers) -> Layers:
    """16C3-16C3-P2-32C3, small enough to train in seconds; 8x8 images."""
    layers.conv(16, same=True).conv(16, same=True).pool()
    return layers.conv(32, same=True).flatten()


def mnist_cnn(layers: Layers) -> Layers:
    """32C3-32C3-P2-64C3-64C3-P2 and the classes: seven layers with the pooling ones."""
    layers.conv(32, same=True).conv(32, same=True).pool()
    return layers.conv(64).conv(64).pool().flatten()


def cifar10_cnn(layers: Layers) -> Layers:
    """The four-convolution network of Rueckauer et al.: 32C3-32C3-P2-64C3-64C3-P2-512.

    The first two convolutions keep the size, the others are 'valid'; on 3x32x32 images and ten
    classes it has 1.25 million parameters and 87,818 neurons, the outputs among them.
    """
    layers.conv(32, same=True).conv(32, same=True).pool()
    return layers.conv(64).conv(64).pool().flatten().dense(512)


def digits_cnn_plain(layers: Layers) -> Layers:
    """`digits_cnn` without batch normalization."""
    return digits_cnn(layers.plain())


def cifar10_cnn_plain(layers: Layers) -> Layers:
    """`cifar10_cnn` without batch normalization."""
    return cifar10_cnn(layers.plain())


BUILT_IN: dict[str, Callable[[Layers], Layers]] = {
    "digits_cnn": digits_cnn,
    "digits_cnn_plain": digits_cnn_plain,
    "mnist_cnn": mnist_cnn,
    "cifar10_cnn": cifar10_cnn,
    "cifar10_cnn_plain": cifar10_cnn_plain,
}


def build(
    settings: AnnSettings, shape: Shape, classes: int, *, training: bool = False
) -> nn.Module:
    """The network with fresh weights of `settings.seed`: images (N, *shape) in [0, 1] to (N,
    classes), the logits or, with output 'relu', the ReLU of them. torch's own random state stays
    as it was.

    With `training` it has the form that is trained: where biases are held at zero, scales stand
    between its layers, which `fold_scales` takes out.

    Raises:
        ValueError: the images are too small for the network, or a user's factory is missing or
            gives no network for them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if ":" in settings.network:
            return _users_network(settings.network, shape, classes)
        layers = Layers(shape, pooling=settings.pooling, bias=settings.bias, training=training)
        try:
            return BUILT_IN[settings.network](layers).classes(classes, output=settings.output)
        except ValueError as error:
            size = "x".join(str(n) for n in shape)
            raise ValueError(f"{settings.network} does not fit images of {size}: {error}") from None


def _users_network(name: str, shape: Shape, classes: int) -> nn.Module:
    module_name, _, factory_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ValueError(
            f"network {name}: there is no module {error.name}; is its folder on PYTHONPATH?"
        ) from error
    factory = getattr(module, factory_name, None)
    if not callable(factory):
        raise ValueError(f"network {name}: {module_name} has no function {factory_name}")
    network = factory(shape, classes)
    if not isinstance(network, nn.Module):
        raise ValueError(
            f"network {name}: the factory must give a torch.nn.Module, got {type(network).__name__}"
        )
    network.eval()
    with torch.no_grad():
        try:
            outputs = network(torch.zeros(1, *shape))
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"network {name} does not take images of {shape}: {error}") from error
    if tuple(outputs.shape) != (1, classes):
        raise ValueError(
            f"network {name} must give {classes} outputs for an image of {shape}, got shape "
            f"{tuple(outputs.shape)} for a batch of one"
        )
    return network.train()
