"""Converted networks obey the paper's equations node by node, in float64 on the dense engine."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ann2snn.conversion.account import Conversion
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.calibration import collect
from ann2snn.conversion.convert import converted
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.trace import analog_graph
from ann2snn.simulation.dense.layers import applied
from ann2snn.simulation.dense.steps import simulate_block
from ann2snn.spec import Input, MaxPool, Neuron, Output, SpikingSpec
from tests import zoo
from tests.random_networks import networks

Images = npt.NDArray[np.integer]
IMAGES = 12


def planned(module: nn.Module, images: Images, **toggles: Any) -> Conversion:
    graph = analog_graph(module, images.shape[1:])
    chosen = ConversionSettings(**{"grid": -1, **toggles})
    return converted(graph, collect(graph, images, 255), chosen, 255)


def largest_deviation(spec: SpikingSpec, images: Images, steps: int) -> float:
    """How far r = W r_in + b - V / t is off at the worst neuron, and at the outputs.

    Rates of neurons are measured, those of all else follow from them: linear nodes are applied to
    rates, and a max-pool's rate is the maximum of its inputs' (the pooling's identity), so a
    pooling that passed other spikes shows at its readers.
    """
    images = images.reshape(len(images), *spec.input.shape)
    block = simulate_block(
        spec, images, np.arange(len(images)), steps=steps, seed=0, precision="float64",
        keep=frozenset({"counts", "potentials"}),
    )  # fmt: skip
    rates: dict[str, torch.Tensor] = {}
    worst = 0.0
    for node in spec:
        shape = (len(images), *spec.shapes[node.name])
        inputs = [rates[name] for name in node.inputs]
        if isinstance(node, Input):
            rates[node.name] = torch.from_numpy(images.astype(np.float64)) / spec.levels
        elif isinstance(node, Neuron):
            rates[node.name] = torch.from_numpy(block.counts[node.name] / steps).reshape(shape)
            rest = torch.from_numpy(block.potentials[node.name] / steps).reshape(shape)
            start = torch.as_tensor(node.initial_potential) / steps
            deviation = rates[node.name] - (inputs[0] - rest + start)
            worst = max(worst, float(deviation.abs().max()))
        elif isinstance(node, Output):
            deviation = inputs[0] - torch.from_numpy(block.outputs.mean(1))
            worst = max(worst, float(deviation.abs().max()))
        else:
            rates[node.name] = applied(node, inputs)
            if isinstance(node, MaxPool) and node.name in block.spikes:
                total = block.spikes[node.name].sum(1)
                assert np.array_equal(total, rates[node.name].flatten(1).sum(1).mul(steps).round())
    return worst


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_rates_are_the_currents_less_what_the_potentials_keep(name: str) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, IMAGES)
    for toggles in ({}, {"normalization": "channel", "initial_potential": 0.25}):
        plan = planned(module, images, **toggles)
        for steps in (1, 40):
            assert largest_deviation(plan.spec, images, steps) < 1e-9


def error(plan: Conversion, images: Images, steps: int) -> float:
    """Root mean square error of the outputs' mean currents against the analog network."""
    images = images.reshape(len(images), *plan.spec.input.shape)
    block = simulate_block(
        plan.spec, images, np.arange(len(images)), steps=steps, seed=0, precision="float64"
    )
    wanted = analog_outputs(plan.spec, images, plan.ceilings)
    return float(np.sqrt(((block.outputs.mean(1) - wanted) ** 2).mean()))


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_four_times_the_steps_leave_a_third_of_the_error_where_nothing_saturates(
    name: str,
) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, IMAGES)
    plan = planned(module, images, normalization="max")
    assert error(plan, images, 480) <= 0.35 * error(plan, images, 120)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(networks(), st.sampled_from(["percentile", "channel", "max", "model"]))
def test_random_graphs_keep_outputs_and_identities(
    network: tuple[nn.Module, tuple[int, ...]], normalization: str
) -> None:
    module, shape = network
    images = zoo.images(shape, 5)
    plan = planned(module, images, normalization=normalization)
    with torch.no_grad():
        expected = module(torch.from_numpy(images).double() / 255).numpy()
    found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()
    assert largest_deviation(plan.spec, images, 20) < 1e-9
