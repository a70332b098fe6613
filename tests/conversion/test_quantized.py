"""Networks trained for few steps: the learned ceiling is the scale, and L steps give L levels."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from ann2snn.ann.network import build
from ann2snn.ann.settings import AnnSettings
from ann2snn.conversion.analog_network import analog_outputs, graph_network
from ann2snn.conversion.convert import convert, explain
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.trace import analog_graph
from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.numerics.quantized_relu import QuantizedReLU
from ann2snn.simulation.simulate import simulate
from ann2snn.spec import Neuron
from tests import zoo

SHAPE = (2, 8, 8)


def network(levels: int, seed: int = 0) -> nn.Sequential:
    """Two quantized layers with a pool between, and ceilings that are no percentile of anything."""
    torch.manual_seed(seed)
    return (
        nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.MaxPool2d(2), QuantizedReLU(levels, 0.61),
            nn.Flatten(), nn.Linear(36, 12), QuantizedReLU(levels, 0.37), nn.Linear(12, 5),
        )
        .double()
        .eval()
    )  # fmt: skip


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("bright", [True, False])
def test_the_ceiling_is_the_scale_whatever_the_toggles_and_images(
    normalization: str, bright: bool
) -> None:
    images = zoo.images(SHAPE, 20) // (1 if bright else 200)
    steps = 4 if NORMALIZATIONS[normalization].needs_steps else 0
    spec = convert(network(4), images, normalization=normalization, for_steps=steps)
    assert [float(n.scale) for n in spec if isinstance(n, Neuron)] == pytest.approx([0.61, 0.37])


@pytest.mark.parametrize("levels", [1, 4, 7])
def test_the_analog_graph_quantizes_as_the_module_does(levels: int) -> None:
    module = network(levels)
    pixels = torch.from_numpy(zoo.images(SHAPE, 30)).double() / 255
    *_, (_, found) = graph_network(analog_graph(module, SHAPE)).signals(pixels)
    with torch.no_grad():
        assert torch.allclose(found, module(pixels), rtol=0, atol=1e-12)
        plain = copy.deepcopy(module)
        plain[3], plain[6] = nn.ReLU(), nn.ReLU()
        assert not torch.allclose(found, plain(pixels), atol=1e-2)


@pytest.mark.parametrize("spikes", ["binary", "signed"])
@pytest.mark.parametrize("levels", [1, 2, 4, 9])
def test_as_many_steps_as_levels_give_the_quantized_networks_own_outputs(
    spikes: str, levels: int
) -> None:
    """Exactly, behind one layer of neurons, whose currents are constant; from 1/2 on, T steps of
    the current z send floor(T z + 1/2) spikes, and T at most."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(128, 40), QuantizedReLU(levels, 0.3), nn.Linear(40, 5)
    )
    module = module.double().eval()
    images = zoo.images(SHAPE, 50)
    spec = convert(
        module, images, initial_potential=0.5, output="potential", spikes=spikes, grid=-1
    )
    result = simulate(
        spec, images, np.zeros(50, np.int64), steps=levels, engine="dense",
        precision="float64", potentials=True,
    )  # fmt: skip
    assert result.potentials is not None
    with torch.no_grad():
        expected = module(torch.from_numpy(images).double() / 255).numpy()
    found = result.potentials[:, -1] / levels * float(spec.output.scale)
    assert np.allclose(found, expected, atol=1e-9)


def test_a_network_of_float32_whose_sums_fall_on_the_edges_of_levels_converts() -> None:
    """Rounding in float32 puts sums on the other side of an edge than in float64."""
    torch.manual_seed(2)
    first, second = nn.Linear(128, 64), nn.Linear(64, 5)
    first.weight.data = torch.randint(-3, 4, (64, 128)) / 30
    first.bias.data = torch.full((64,), 0.1)
    module = nn.Sequential(nn.Flatten(), first, QuantizedReLU(4, 0.8), second).eval()
    images = zoo.images(SHAPE, 50) // 85 * 85  # thirds: sums are multiples of 1/90
    spec = convert(module, images)
    assert [float(n.scale) for n in spec if isinstance(n, Neuron)] == pytest.approx([0.8])


@pytest.mark.parametrize("ceiling", [0.0, -1.0, float("inf"), float("nan")])
def test_a_ceiling_that_is_no_scale_is_refused_by_name(ceiling: float) -> None:
    module = network(4)
    activation = module[3]
    assert isinstance(activation, QuantizedReLU)
    activation.ceiling.data.fill_(ceiling)
    with pytest.raises(ConversionError, match=r"3.*QuantizedReLU.*its ceiling is"):
        convert(module, zoo.images(SHAPE, 4))


@pytest.mark.parametrize("activation", ["relu", "quantized"])
@pytest.mark.parametrize("name", ["cifar10_fast", "cifar10_residual", "resnet20"])
def test_the_networks_of_today_convert_with_every_operation(name: str, activation: str) -> None:
    levels = 4 if activation == "quantized" else 0
    settings = AnnSettings(network=name, activation=activation, levels=levels)
    module = build(settings, (3, 32, 32), 10).eval().double()
    images = zoo.images((3, 32, 32), 3)
    plan = explain(module, images, grid=-1)
    neurons = [node for node in plan.spec if isinstance(node, Neuron)]
    assert len(neurons) == {"cifar10_fast": 7, "cifar10_residual": 10, "resnet20": 19}[name]
    if activation == "relu":
        found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
        with torch.no_grad():
            expected = module(torch.from_numpy(images).double() / 255).numpy()
        assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()
