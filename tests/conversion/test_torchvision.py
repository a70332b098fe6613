"""torchvision's networks convert, and their normalized analog networks are the originals."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.calibration import collect
from ann2snn.conversion.convert import converted
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.trace import analog_graph
from tests import zoo


def small_vgg() -> nn.Module:
    """vgg11_bn whose classifier reads one pixel instead of 7 x 7: 100 million weights less."""
    network = models.vgg11_bn(num_classes=10, init_weights=False)
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    network.classifier[0] = nn.Linear(512, 256)
    network.classifier[3] = nn.Linear(256, 256)
    network.classifier[6] = nn.Linear(256, 10)
    return network  # type: ignore[no-any-return]


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "resnet18": (lambda: models.resnet18(num_classes=10), 32),
    "small vgg11_bn": (small_vgg, 33),
    "mobilenet_v2": (lambda: models.mobilenet_v2(num_classes=10), 32),
    "googlenet": (
        lambda: models.googlenet(num_classes=10, init_weights=False, aux_logits=False), 32,
    ),
}  # fmt: skip


def deviation(network: nn.Module, size: int) -> float:
    """Of the converted analog network from `network`, relative to the largest output."""
    module = zoo.randomised(network).double().eval()
    images = zoo.images((3, size, size), 3)
    with torch.no_grad():
        expected = module(torch.from_numpy(images).double() / 255).numpy()
    graph = analog_graph(module, images.shape[1:])
    plan = converted(graph, collect(graph, images, 255), ConversionSettings(grid=-1), 255)
    assert all(fate.nodes or fate.reason for fate in plan.fates)
    found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_torchvision_network_converts_and_keeps_its_outputs(name: str) -> None:
    factory, size = NETWORKS[name]
    torch.manual_seed(0)
    assert deviation(factory(), size) < 1e-6


@pytest.mark.system
def test_vgg11_bn_converts_whole() -> None:
    torch.manual_seed(0)
    assert deviation(models.vgg11_bn(num_classes=10), 32) < 1e-6
