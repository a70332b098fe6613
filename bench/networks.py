"""Networks of today beside the measured one: random weights, batch norm set by data.

Their speed is that of trained ones at the same rates; their answers mean nothing.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

CLASSES = 10
SET_BY = 256  # images that set batch norm


def six_convolutions() -> nn.Module:
    """24 / 64 / 256 / 256: a whitening convolution, then three blocks of two convolutions of 3x3
    with the pool before the batch norm, as networks made for short trainings have it."""
    layers: list[nn.Module] = [nn.Conv2d(3, 24, 2), nn.ReLU()]
    before = 24
    for channels in (64, 256, 256):
        for pooled in (True, False):
            layers.append(nn.Conv2d(before, channels, 3, padding=1, bias=False))
            layers += [nn.MaxPool2d(2)] if pooled else []
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            before = channels
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(before, CLASSES))


def resnet18() -> nn.Module:
    """torchvision's, in the form for images of 32x32: a first convolution of 3x3, no first pool."""
    from torchvision.models import resnet18 as build

    network: nn.Module = build(num_classes=CLASSES)
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


def vgg11_bn() -> nn.Module:
    from torchvision.models import vgg11_bn as build

    network: nn.Module = build(num_classes=CLASSES)
    return network


def mobilenet_v2() -> nn.Module:
    from torchvision.models import mobilenet_v2 as build

    network: nn.Module = build(num_classes=CLASSES)
    return network


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "24 / 64 / 256 / 256": six_convolutions,
    "ResNet-18, CIFAR form": resnet18,
    "vgg11_bn on 32x32": vgg11_bn,
    "mobilenet_v2 on 32x32": mobilenet_v2,
}


def untrained(name: str, images: npt.NDArray[np.uint8]) -> nn.Module:
    """The network in eval mode, channels last; its batch norms hold mean and variance of what
    `images` make of its random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = NETWORKS[name]()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the mean over all batches
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        with torch.no_grad():
            network.train()(_pixels(images[:SET_BY]))
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _pixels(images: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(images).float() / 255
