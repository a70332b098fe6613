"""Rates against activations: sums that the paper's equations give by hand, whatever the blocks."""

import math
from typing import Any

import numpy as np
import pytest

from ann2snn.settings import SettingError
from ann2snn.simulation.compared_rates import activations
from ann2snn.simulation.dense.steps import simulate_block
from ann2snn.simulation.result import SimulationResult
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import simulate
from ann2snn.spec import Input, Linear, Neuron, Output, SpikingSpec
from tests import zoo
from tests.simulation.test_dense_theory import three_layers

ONE = np.ones(())


def pixel_neuron(reset: str, coding: str = "analog") -> SpikingSpec:
    """A neuron whose activation is the pixel, k / 256, and that both classes read."""
    return SpikingSpec(
        (
            Input(name="pixel", inputs=(), scale=ONE, shape=(1,), input=coding),
            Linear(name="w", inputs=("pixel",), scale=ONE, weight=np.eye(1), bias=np.zeros(1)),
            Neuron(name="n", inputs=("w",), scale=ONE, reset=reset),
            Linear(
                name="classes", inputs=("n",), scale=ONE, weight=np.ones((2, 1)), bias=np.zeros(2)
            ),
            Output(name="out", inputs=("classes",), scale=ONE, output="count"),
        ),
        levels=256,
    )


def compared(spec: SpikingSpec, images: np.ndarray, **toggles: Any) -> SimulationResult:
    labels = np.zeros(len(images), np.int64)
    return simulate(spec, images, labels, compare=True, **toggles)


def pixels(largest: int = 257) -> np.ndarray:
    return np.arange(1, largest, dtype=np.int64)[:, None]


def test_under_subtraction_the_error_is_what_the_floor_leaves() -> None:
    """A constant current a has fired floor(a t) times, so the error is (a t - floor(a t)) / t."""
    found = compared(pixel_neuron("subtract"), pixels(), steps=40).comparisons["n"]
    for t in (1, 7, 40):
        left = np.array([k * t / 256 - k * t // 256 for k in range(1, 257)]) / t
        assert found.error[t - 1] == pytest.approx(left.mean(), abs=1e-12)
        assert found.bias[t - 1] == pytest.approx(-left.mean(), abs=1e-12)


def test_under_reset_to_zero_the_error_tends_to_what_every_spike_loses() -> None:
    steps = 500
    found = compared(pixel_neuron("zero"), pixels(), steps=steps).comparisons["n"]
    lost = np.mean([k / 256 - 1 / math.ceil(256 / k) for k in range(1, 257)])
    assert found.staircase == pytest.approx(lost, abs=1e-6)
    assert found.error[-1] == pytest.approx(lost, abs=1 / steps)


def test_what_no_rate_can_follow_is_counted_apart() -> None:
    images = np.array([[128], [256], [512], [0]], np.int64)
    found = compared(pixel_neuron("subtract"), images, steps=100).comparisons["n"]
    assert found.saturating == pytest.approx(1 / 4)
    assert found.active == 3 / 4
    assert found.error[-1] == pytest.approx(1 / 4)


def test_correlation_is_that_of_the_counts() -> None:
    spec = three_layers()
    images = np.random.default_rng(2).integers(0, 256, (9, 2, 6, 6))
    steps = 30
    found = compared(spec, images, steps=steps, precision="float64").comparisons
    block = simulate_block(
        spec,
        images,
        np.arange(9),
        steps=steps,
        seed=0,
        precision="float64",
        keep=frozenset({"counts"}),
    )
    for name, values in activations(spec, images).items():
        by_numpy = np.corrcoef(values.ravel(), block.counts[name].ravel())[0, 1]
        assert found[name].correlation[-1] == pytest.approx(by_numpy, abs=1e-5)


def test_low_activations_are_followed_better_by_analog_input_than_by_poisson_input() -> None:
    """(x (1 - x) / t)^(1/2) against 1 / t: the bins hold the mean |r - a| of their activations."""
    steps = 200
    errors = {}
    for coding in ("analog", "poisson"):
        images = pixels()
        found = compared(pixel_neuron("subtract", coding), images, steps=steps).comparisons["n"]
        errors[coding] = {(low, high): mean for low, high, _, mean in found.bins}
        assert sum(number for _, _, number, _ in found.bins) == len(images)
    for (low, high), analog in errors["analog"].items():
        if low >= 0.05:
            middle = (low + high) / 2
            spread = math.sqrt(2 * middle * (1 - middle) / (math.pi * steps))
            assert analog < 1 / steps
            assert errors["poisson"][low, high] == pytest.approx(spread, rel=0.35)


def test_samples_are_neurons_with_their_activation_and_rate() -> None:
    found = compared(pixel_neuron("subtract"), pixels(), steps=64).comparisons["n"]
    assert 100 <= len(found.samples) <= 400
    for activation, rate in found.samples:
        assert rate == math.floor(activation * 64) / 64


@pytest.mark.parametrize("name", ["residual_downsample", "plain_conv"])
def test_blocks_change_no_bit_of_a_comparison(name: str) -> None:
    module, shape = zoo.build(name)
    from ann2snn import convert

    images = zoo.images(shape, 11)
    spec = convert(module, images)
    first, *others = [compared(spec, images, steps=12, block=block) for block in (11, 1, 4)]
    for other in others:
        assert other.curves() == first.curves()
        assert other.details() == first.details()


def test_one_class_alone_is_refused() -> None:
    spec = pixel_neuron("zero")
    alone = SpikingSpec((*spec.nodes[:3], Output(name="out", inputs=("n",), scale=ONE)))
    with pytest.raises(ValueError, match="at least 2 classes to choose from, got 1"):
        compared(alone, pixels())


def test_a_run_that_does_not_compare_says_nothing_of_rates() -> None:
    images = pixels()
    result = simulate(pixel_neuron("zero"), images, np.zeros(len(images), np.int64), steps=3)
    assert result.details() == {}
    assert not any(name.startswith("rate") for name in result.curves())


def test_comparing_with_the_event_engine_is_refused_as_soon_as_it_is_said() -> None:
    with pytest.raises(SettingError, match="auto or dense where compare is true, got 'event'"):
        SimulationSettings(compare=True, engine="event")
    assert SimulationSettings(compare=True, engine="dense").compare
