"""Networks of today beside the measured one: random weights, batch norm set by data.

Their speed is that of trained ones at the same rates; their answers mean nothing. `python -m
bench.networks` prints for each, on one thread, R and the picoseconds of a synaptic operation.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ann2snn.conversion.convert import convert
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import certain_block
from ann2snn.spec import SpikingSpec
from bench.network import cifar10

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


def seconds(run: Callable[[], object]) -> float:
    """The least processor time of three runs, after one that is not counted."""
    run()
    times = []
    for _ in range(3):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def measured_row(name: str, images: npt.NDArray[np.uint8], steps: int) -> str:
    """A line of the table, for all `images` in one batch."""
    network = untrained(name, images)
    spec: SpikingSpec = convert(network, images)
    settings = SimulationSettings(steps=steps, engine="event", threads=1)
    places = np.arange(len(images))
    inputs = _pixels(images).to(memory_format=torch.channels_last)
    with torch.no_grad():
        forward = seconds(lambda: network(inputs)) / len(images)
    step = seconds(lambda: certain_block(spec, images, places, settings)) / len(images) / steps
    block, _ = certain_block(spec, images, places, settings)
    operations = sum(int(counts.sum()) for counts in block.synops.values()) / len(images) / steps
    return f"{name:24}{1e6 * step:12.0f}{step / forward:8.3f}{1e12 * step / operations:10.0f}"


def main() -> None:
    torch.set_num_threads(1)
    images = np.array(cifar10().test_images[:64])
    print(f"{'network, random weights':24}{'us a step':>12}{'R':>8}{'ps':>10}")
    for name in NETWORKS:
        print(measured_row(name, images, 32), flush=True)


if __name__ == "__main__":
    main()
