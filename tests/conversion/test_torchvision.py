"""torchvision's networks convert whole: every operation, every output, exactly, in both engines."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn
from torchvision import models

from ann2snn import SpikingSpec, simulate
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.calibration import collect
from ann2snn.conversion.convert import converted
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.trace import analog_graph
from ann2snn.simulation.certificate import certify
from tests import zoo

CLASSES = 10
STEPS = 2048  # for which outputs must sum exactly; engines are compared over fewer
COMPARED = 6
Images = npt.NDArray[np.uint8]


def one_pixel_classifier(network: models.AlexNet | models.VGG) -> nn.Module:
    """The network whose classifier reads one pixel instead of 6 x 6 or 7 x 7, through 256 features
    instead of 4,096: a hundred million weights less."""
    network.avgpool = nn.AdaptiveAvgPool2d(1)
    linear = [i for i, layer in enumerate(network.classifier) if isinstance(layer, nn.Linear)]
    widths = [network.features(torch.zeros(1, 3, 64, 64)).shape[1], 256, 256, CLASSES]
    for place, before, after in zip(linear, widths[:-1], widths[1:], strict=True):
        network.classifier[place] = nn.Linear(before, after)
    return network


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "alexnet": (lambda: one_pixel_classifier(models.alexnet()), 64),
    "vgg11_bn": (lambda: one_pixel_classifier(models.vgg11_bn(init_weights=False)), 33),
    "resnet18": (lambda: models.resnet18(num_classes=CLASSES), 32),
    "resnet50": (lambda: models.resnet50(num_classes=CLASSES), 32),
    "resnext50_32x4d": (lambda: models.resnext50_32x4d(num_classes=CLASSES), 32),
    "wide_resnet50_2": (lambda: models.wide_resnet50_2(num_classes=CLASSES), 32),
    "densenet121": (lambda: models.densenet121(num_classes=CLASSES), 32),
    "squeezenet1_1": (lambda: models.squeezenet1_1(num_classes=CLASSES), 33),
    "googlenet": (
        lambda: models.googlenet(
            num_classes=CLASSES, init_weights=False, aux_logits=False, transform_input=True
        ), 32,
    ),
    "inception_v3": (
        lambda: models.inception_v3(
            num_classes=CLASSES, init_weights=False, aux_logits=False, transform_input=True
        ), 75,
    ),
    "mobilenet_v2": (lambda: models.mobilenet_v2(num_classes=CLASSES), 32),
    "mnasnet1_0": (lambda: models.mnasnet1_0(num_classes=CLASSES), 32),
    "shufflenet_v2_x0_5": (lambda: models.shufflenet_v2_x0_5(num_classes=CLASSES), 64),
    "shufflenet_v2_x1_0": (lambda: models.shufflenet_v2_x1_0(num_classes=CLASSES), 32),
    "regnet_x_400mf": (lambda: models.regnet_x_400mf(num_classes=CLASSES), 32),
}  # fmt: skip
LONG = ("resnext50_32x4d", "wide_resnet50_2")


def seeded(name: str) -> tuple[nn.Module, Images]:
    """The network with random weights and non-zero biases in eval mode, float64, and three images;
    its batch norms hold mean and variance of what images make of the weights."""
    factory, size = NETWORKS[name]
    images: Images = zoo.images((3, size, size), 8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = zoo.randomised(factory())
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.reset_running_stats()
                part.momentum = None  # the mean over all batches
            if isinstance(part, nn.Dropout):
                part.p = 0.0
        with torch.no_grad():
            network.train()(torch.from_numpy(images).float() / 255)
    return network.double().eval().requires_grad_(False), images[:3]


def held_to_module(module: nn.Module, images: Images) -> SpikingSpec:
    """The spec, after every operation is accounted for, the analog outputs are the module's and
    float64 holds every step's sums and those of the outputs; potentials are the run's to tell."""
    expected = module(torch.from_numpy(images).double() / 255).numpy()
    graph = analog_graph(module, images.shape[1:])
    statistics = collect(graph, images, 255)
    plan = converted(graph, statistics, ConversionSettings(grid=-1), 255)
    assert all(fate.nodes or fate.reason for fate in plan.fates)
    found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()
    spec = converted(graph, statistics, ConversionSettings(), 255).spec
    assert certify(spec, {}, STEPS, "float64").exact
    return spec


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.system if name in LONG else ()) for name in NETWORKS],
)
def test_a_torchvision_network_converts_and_keeps_its_outputs(name: str) -> None:
    module, images = seeded(name)
    spec = held_to_module(module, images)
    event, dense = (
        simulate(spec, images[:1], steps=COMPARED, engine=engine, potentials=True)
        for engine in ("event", "dense")
    )
    assert event.certificate.exact
    assert np.array_equal(event.potentials, dense.potentials)  # type: ignore[arg-type]
    assert {name: int(s.sum()) for name, s in event.spikes.items()} == {
        name: int(s.sum()) for name, s in dense.spikes.items()
    }
    assert sum(int(s.sum()) for s in event.spikes.values()) > 0


@pytest.mark.system
def test_vgg11_bn_converts_whole() -> None:
    torch.manual_seed(0)
    module = zoo.randomised(models.vgg11_bn(num_classes=CLASSES)).double().eval()
    held_to_module(module.requires_grad_(False), zoo.images((3, 32, 32), 3))
