"""Bursts of up to two spikes a step: what a scale means then, and what they are good for."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ann2snn import SpikingSpec, convert, simulate
from ann2snn.settings import SettingError
from ann2snn.spec import Neuron
from tests import zoo

NETWORKS = ("three_linear", "inception", "residual")
FEW: dict[str, Any] = {"initial_potential": 0.5, "output": "potential"}


def scales(spec: SpikingSpec) -> dict[str, np.ndarray]:
    return {node.name: node.scale for node in spec if isinstance(node, Neuron)}


@pytest.mark.parametrize("normalization", ["percentile", "channel", "max", "model"])
@pytest.mark.parametrize("name", NETWORKS)
def test_two_spikes_stand_for_the_activation_that_one_signed_spike_does(
    name: str, normalization: str
) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, 12)
    ones, twos = (
        convert(module, images, spikes=kind, normalization=normalization, grid=-1)
        for kind in ("signed", "burst")
    )
    for layer, scale in scales(ones).items():
        np.testing.assert_array_equal(scale, 2 * scales(twos)[layer])
        before, after = ones[layer], twos[layer]
        assert isinstance(before, Neuron)
        assert isinstance(after, Neuron)
        assert before.saturating == after.saturating


def test_a_saturating_relu_is_not_passed_by_two_spikes_a_step() -> None:
    torch.manual_seed(1)
    first = nn.Linear(6, 20)
    module = nn.Sequential(first, nn.ReLU6(), nn.Linear(20, 3)).eval()
    with torch.no_grad():
        first.weight.mul_(60)
    images = zoo.images((6,), 40)
    spec = convert(module, images, spikes="burst", normalization="max", **FEW)
    result = simulate(spec, images, np.zeros(40, int), steps=64, record={"1": range(20)})
    rates = np.asarray(result.trains["1"]).sum(1) / 64 * spec["1"].scale
    with torch.no_grad():
        wanted = nn.Sequential(*list(module)[:2])(torch.from_numpy(images).float() / 255).numpy()
    assert (wanted == 6).any()
    np.testing.assert_allclose(rates, wanted, atol=2 * float(spec["1"].scale) / 64)


@pytest.mark.parametrize("name", NETWORKS)
def test_after_few_steps_bursts_are_nearer_to_the_network_than_single_spikes(name: str) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, 40)
    with torch.no_grad():
        wanted = module(torch.from_numpy(images).double() / 255).numpy()
    off = {}
    for kind in ("signed", "burst"):
        spec = convert(module, images, spikes=kind, normalization="max", **FEW)
        result = simulate(spec, images, np.zeros(40, int), steps=8, potentials=True)
        assert result.potentials is not None
        found = np.asarray(result.potentials)[:, -1] / 8 * spec.output.scale
        off[kind] = np.abs(found - wanted).mean()
    assert off["burst"] < off["signed"]


def test_rates_of_bursts_are_not_held_against_activations() -> None:
    module, shape = zoo.build("three_linear")
    images = zoo.images(shape, 5)
    spec = convert(module, images, spikes="burst")
    with pytest.raises(SettingError, match="compare must be false with spikes=burst, of which"):
        simulate(spec, images, np.zeros(5, int), steps=3, compare=True)
