"""The paper's equations, held against the dense engine in float64 with biases and three layers."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional as F

from ann2snn.simulation.dense.steps import simulate_block
from ann2snn.simulation.simulate import simulate
from ann2snn.spec import Conv, Input, Linear, MaxPool, Neuron, Output, Reshape, SpikingSpec

ONE = np.ones(())
EVERYTHING = frozenset({"counts", "potentials"})


def single_neuron(reset: str, initial: float = 0.0) -> SpikingSpec:
    """One pixel k / 256, weight 1, no bias: the current is the pixel, exact in floating point."""
    return SpikingSpec(
        (
            Input(name="pixel", inputs=(), scale=ONE, shape=(1,)),
            Linear(name="w", inputs=("pixel",), scale=ONE, weight=np.eye(1), bias=np.zeros(1)),
            Neuron(name="n", inputs=("w",), scale=ONE, reset=reset, initial_potential=initial),
            Output(name="out", inputs=("n",), scale=ONE, output="count"),
        ),
        levels=256,
    )


def counts_of(spec: SpikingSpec, pixels: list[int], steps: int) -> npt.NDArray[np.int64]:
    images = np.array(pixels)[:, None]
    block = simulate_block(
        spec, images, np.arange(len(images)), steps=steps, seed=0, precision="float64",
        keep=EVERYTHING,
    )  # fmt: skip
    return block.counts["n"][:, 0]


@pytest.mark.parametrize("steps", [1, 10, 97, 300])
def test_subtraction_fires_x_times_t_and_to_zero_every_nth_step(steps: int) -> None:
    pixels = list(range(1, 257))
    subtracted = counts_of(single_neuron("subtract"), pixels, steps)
    zeroed = counts_of(single_neuron("zero"), pixels, steps)
    for k, by_subtraction, to_zero in zip(pixels, subtracted, zeroed, strict=True):
        assert by_subtraction == k * steps // 256
        assert to_zero == steps // math.ceil(256 / k)


def test_half_a_threshold_at_the_start_removes_the_bias_of_the_rate() -> None:
    pixels, steps = list(range(1, 256)), 101
    exact = np.array(pixels) / 256
    plain = counts_of(single_neuron("subtract"), pixels, steps) / steps - exact
    centred = counts_of(single_neuron("subtract", 0.5), pixels, steps) / steps - exact
    assert plain.mean() == pytest.approx(-1 / (2 * steps), rel=0.02)
    assert abs(centred.mean()) < 0.02 / (2 * steps)


def test_the_error_of_reset_to_zero_does_not_vanish_with_time() -> None:
    pixels = list(range(1, 257))
    exact = np.array(pixels) / 256
    errors = [
        (counts_of(single_neuron("zero"), pixels, steps) / steps - exact).mean()
        for steps in (300, 1200)
    ]
    assert errors[0] == pytest.approx(-0.15, abs=0.02)
    assert errors[1] == pytest.approx(errors[0], abs=0.01)


def three_layers(reset: str = "subtract", input: str = "analog") -> SpikingSpec:
    rng = np.random.default_rng(1)
    return SpikingSpec(
        (
            Input(name="image", inputs=(), scale=ONE, shape=(2, 6, 6), input=input),
            Conv(
                name="conv1", inputs=("image",), scale=ONE, padding=(1, 1, 1, 1),
                weight=rng.normal(0, 0.15, (4, 2, 3, 3)), bias=rng.normal(0.05, 0.05, 4),
            ),
            Neuron(name="relu1", inputs=("conv1",), scale=ONE, reset=reset),
            MaxPool(
                name="pool", inputs=("relu1",), scale=ONE,
                rows=((0, 2), (2, 4), (4, 6)), columns=((0, 2), (2, 4), (4, 6)),
            ),
            Conv(
                name="conv2", inputs=("pool",), scale=ONE,
                weight=rng.normal(0, 0.15, (5, 4, 3, 3)), bias=rng.normal(0.05, 0.05, 5),
            ),
            Neuron(name="relu2", inputs=("conv2",), scale=ONE, reset=reset),
            Reshape(name="flat", inputs=("relu2",), scale=ONE, shape=(5,)),
            Linear(
                name="fc", inputs=("flat",), scale=ONE,
                weight=rng.normal(0, 0.3, (3, 5)), bias=rng.normal(0.05, 0.05, 3),
            ),
            Neuron(name="relu3", inputs=("fc",), scale=ONE, reset=reset),
            Output(name="out", inputs=("relu3",), scale=ONE, output="count"),
        )
    )  # fmt: skip


@pytest.mark.parametrize("input", ["analog", "poisson"])
@pytest.mark.parametrize("steps", [1, 7, 50])
def test_rate_is_weights_times_rate_plus_bias_minus_potential_over_time(
    input: str, steps: int
) -> None:
    """r = W r_in + b - V/t, section 2: an identity for reset by subtraction at every t."""
    spec = three_layers(input=input)
    images = np.random.default_rng(2).integers(0, 256, (4, 2, 6, 6))
    block = simulate_block(
        spec, images, np.arange(4), steps=steps, seed=3, precision="float64", keep=EVERYTHING
    )
    rates = {name: torch.from_numpy(c / steps) for name, c in block.counts.items()}
    left = {name: torch.from_numpy(v / steps) for name, v in block.potentials.items()}
    pooled = F.max_pool2d(rates["relu1"].view(4, 4, 6, 6), 2)
    conv2, fc = spec["conv2"], spec["fc"]
    assert isinstance(conv2, Conv)
    assert isinstance(fc, Linear)
    expected = F.conv2d(pooled, torch.from_numpy(conv2.weight), torch.from_numpy(conv2.bias))
    assert (rates["relu2"] - (expected.flatten(1) - left["relu2"])).abs().max() < 1e-12
    expected = F.linear(rates["relu2"], torch.from_numpy(fc.weight), torch.from_numpy(fc.bias))
    assert (rates["relu3"] - (expected - left["relu3"])).abs().max() < 1e-12
    if input == "analog":
        conv1 = spec["conv1"]
        assert isinstance(conv1, Conv)
        weight, bias = torch.from_numpy(conv1.weight), torch.from_numpy(conv1.bias)
        first = F.conv2d(torch.from_numpy(images / 255), weight, bias, padding=1)
        assert (rates["relu1"] - (first.flatten(1) - left["relu1"])).abs().max() < 1e-12


def test_poisson_input_spikes_with_the_pixel_as_its_mean() -> None:
    spec = three_layers(input="poisson")
    images = np.arange(0, 256, 255 // 8)[:9][:, None, None, None] * np.ones((1, 2, 6, 6), int)
    steps = 400
    block = simulate_block(spec, images, np.arange(9), steps=steps, seed=5)
    trials = 2 * 6 * 6 * steps
    mean = block.spikes["image"].sum(1) / trials
    share = images[:, 0, 0, 0] / 255
    error = np.sqrt(share * (1 - share) / trials)
    assert (np.abs(mean - share) <= 4 * error).all()


def test_batch_order_and_block_size_change_no_bit() -> None:
    spec = three_layers(input="poisson")
    rng = np.random.default_rng(7)
    images, labels = rng.integers(0, 256, (13, 2, 6, 6)), rng.integers(0, 3, 13)
    results = [
        simulate(spec, images, labels, steps=20, seed=1, block=block) for block in (1, 5, 100)
    ]
    for result in results[1:]:
        assert result.curves() == results[0].curves()
        assert result.metrics() == results[0].metrics()
