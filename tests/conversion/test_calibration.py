"""Scales, biases and first potentials that are made for a number of steps."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from safetensors import safe_open
from torch import nn

from ann2snn.conversion.convert import convert, converted
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.scale_searches import balanced_scale
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.spiking_signals import SpikingSignals
from ann2snn.conversion.trace import analog_graph
from ann2snn.mechanisms.calibrations import CALIBRATIONS
from ann2snn.mechanisms.normalizations import NORMALIZATIONS, Normalization
from ann2snn.mechanisms.outputs import OUTPUTS, Received
from ann2snn.mechanisms.spikes import SPIKES, Spike
from ann2snn.settings import SettingError
from ann2snn.simulation.compared_rates import activations
from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.simulate import simulate
from ann2snn.spec import Neuron, Output, SpecError, SpikingSpec, load_spec, save_spec
from tests import random_networks, zoo
from tests.simulation.event_networks import assert_same, both

STEPS = 6
COUNTS = frozenset({"counts"})
COMBINATIONS: list[dict[str, Any]] = [
    {"spikes": spikes, "calibration": calibration, "normalization": normalization,
     "initial_potential": start,
     "for_steps": 0 if (calibration, normalization) == ("none", "balanced") else STEPS}
    for spikes, calibration, normalization, start in itertools.product(
        SPIKES, CALIBRATIONS, ("squared_error", "balanced"), (0.0, 0.5))
]  # fmt: skip


def differences(spec: SpikingSpec, plain: SpikingSpec, images: np.ndarray) -> dict[str, float]:
    """Per layer, how far mean rates of channels after STEPS steps are from the mean activations, up
    to 1, of the `plain` network."""
    own = images.reshape(-1, *spec.input.shape)
    block = dense.simulate_block(
        spec, own, np.arange(len(own)), steps=STEPS, seed=0, precision="float64", keep=COUNTS
    )
    found = {}
    analog = activations(plain, own)
    for name, counts in block.counts.items():
        channels = spec.shapes[name][0]
        wanted = np.minimum(analog[name], 1).mean(0).reshape(channels, -1).mean(1)
        rates = (counts / STEPS).mean(0).reshape(channels, -1).mean(1)
        found[name] = float(np.abs(wanted - rates).mean())
    return found


@pytest.mark.parametrize("name", ["vgg", "residual_downsample", "inception", "pre_activation"])
def test_both_engines_agree_on_every_combination_of_scales_and_calibrations(name: str) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, 6)
    for toggles in COMBINATIONS:
        spec = convert(module, images, **toggles)
        assert_same(*both(spec, images[:2].reshape(2, *spec.input.shape), steps=STEPS + 3))


@settings(max_examples=6, deadline=None)
@given(random_networks.networks())
def test_both_engines_agree_on_calibrated_random_networks(network: Any) -> None:
    module, shape = network
    images = zoo.images(shape, 4)
    for spikes in SPIKES:
        spec = convert(
            module, images, spikes=spikes, calibration="both", for_steps=3, initial_potential=0.5
        )
        assert_same(*both(spec, images[:2], steps=5))


@pytest.mark.parametrize("name", sorted(zoo.NETWORKS))
def test_calibration_sees_the_spikes_that_the_engines_send(name: str) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, 3)
    for spikes in SPIKES:
        spec = convert(
            module, images, spikes=spikes, initial_potential=0.5, calibration="both",
            for_steps=STEPS, normalization="channel",
        )  # fmt: skip
        own = images.reshape(3, *spec.input.shape)
        seen = SpikingSignals(spec, STEPS, own)
        block = dense.simulate_block(
            spec, own, np.arange(3), steps=STEPS, seed=0, precision="float64", keep=COUNTS
        )
        for node in spec:
            if isinstance(node, Neuron):
                seen.spikes[node.name] = seen.fire(node, slice(None))
                counts = seen.spikes[node.name].sum(1).flatten(1).numpy()
                np.testing.assert_array_equal(counts, block.counts[node.name], err_msg=node.name)


@pytest.mark.parametrize("calibration", [name for name in CALIBRATIONS if name != "none"])
def test_calibrated_rates_are_nearer_to_the_activations(calibration: str) -> None:
    before, after = 0.0, 0.0
    for name in ("vgg", "residual", "inception", "plain_conv"):
        module, shape = zoo.build(name)
        images = zoo.images(shape, 40)
        plain = convert(module, images)
        before += sum(differences(plain, plain, images).values())
        spec = convert(module, images, calibration=calibration, for_steps=STEPS)
        after += sum(differences(spec, plain, images).values())
    assert after < 0.5 * before


def test_calibration_corrects_a_bias_and_a_potential_by_what_is_missing() -> None:
    """A current of 0.3 for T = 4 steps sends 1 spike: 0.25. The bias rises by 0.05, V(0) by 0.2."""
    layer = nn.Linear(1, 1)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, 0.3)
    module = nn.Sequential(layer, nn.ReLU(), nn.Linear(1, 2)).double().eval()
    toggles: dict[str, Any] = {"normalization": "none", "for_steps": 4, "grid": -1}
    images = np.zeros((3, 1), np.uint8)
    biased = convert(module, images, calibration="bias", **toggles)
    assert biased["0"].bias == pytest.approx([0.35], abs=1e-6)  # type: ignore[attr-defined]
    charged = convert(module, images, calibration="potential", **toggles)
    assert charged["1"].initial_potential == pytest.approx([0.2], abs=1e-5)  # type: ignore[attr-defined]
    assert charged.for_steps == 4


def test_calibration_does_not_depend_on_the_order_of_images() -> None:
    module, shape = zoo.build("vgg")
    images = zoo.images(shape, 70)
    specs = [
        convert(module, order, calibration="both", for_steps=4, spikes="signed")
        for order in (images, images[::-1])
    ]
    for one, other in zip(*specs, strict=True):
        if isinstance(one, Neuron):
            assert isinstance(other, Neuron)
            np.testing.assert_array_equal(one.initial_potential, other.initial_potential)


def test_a_scale_of_least_squared_error_is_at_least_as_good_as_any_other_share() -> None:
    module, shape = zoo.build("plain_conv")
    layer = next(iter(zoo.statistics(module, zoo.images(shape, 60)).layers.values()))
    values, counts = layer.histogram.middles(), layer.histogram.counts

    def error(scale: float) -> float:
        spikes = np.floor(np.clip(values * 4 / scale + 0.5, 0, 4))
        return float((counts * (values - spikes * scale / 4) ** 2).sum())

    best = layer.least_error_scale(4, 0.5)
    shares = np.arange(0.06, 1.001, 0.01)
    assert error(best) <= min(error(share * layer.maximum) for share in shares) * (1 + 1e-9)
    assert 0 < best < layer.maximum


def test_a_balanced_scale_leaves_little_above_it_and_lies_below_the_maximum() -> None:
    module, shape = zoo.build("plain_conv")
    layer = next(iter(zoo.statistics(module, zoo.images(shape, 60)).layers.values()))
    scale = balanced_scale(layer.histogram)
    values = layer.histogram.middles()
    above = (np.maximum(values - scale, 0) * layer.histogram.counts).sum()
    assert above / layer.histogram.total < 0.01 * scale
    assert 0.5 * layer.maximum < scale < layer.maximum


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"calibration": "bias"}, "for_steps must be at least 1 with calibration=bias, got 0"),
    ({"normalization": "squared_error"}, "for_steps must be at least 1 with normalization=squared"),
    ({"for_steps": 8}, "for_steps must be 0 with normalization=percentile and calibration=none"),
    ({"calibration": "both", "for_steps": 8, "input": "poisson"}, "input must be analog with cal"),
    ({"calibration": "both", "for_steps": 8, "pooling": "spikes"},
     "pooling must be rise or average with calibration=both, got 'spikes'"),
    ({"normalization": "squared_error", "for_steps": 8, "reset": "zero"},
     "reset must be subtract with normalization=squared_error, got 'zero'"),
    ({"output_from": 5}, "output must be potential with output_from=5, got 'softmax'"),
    ({"output_from": 0, "output": "count"}, "output must be potential with output_from=0"),
    ({"spikes": "signed", "reset": "zero"}, "reset must be subtract with spikes=signed, got"),
]  # fmt: skip


@pytest.mark.parametrize(("toggles", "message"), REFUSED)
def test_toggles_that_do_not_go_together_are_refused_with_both_named(
    toggles: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        ConversionSettings(**toggles)


def test_calibration_without_images_is_refused() -> None:
    module, shape = zoo.build("three_linear")
    images = zoo.images(shape, 6)
    toggles = ConversionSettings(calibration="bias", for_steps=4)
    with pytest.raises(ValueError, match="calibration=bias needs calibration images"):
        converted(analog_graph(module, shape), zoo.statistics(module, images), toggles, 255)


def test_a_scale_that_is_no_number_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module, shape = zoo.build("three_linear")
    row = Normalization("broken", "no number", lambda *_: float("nan"))
    assert "max" in NORMALIZATIONS
    monkeypatch.setitem(NORMALIZATIONS._rows, "max", row)
    with pytest.raises(ConversionError, match="1: normalization=broken gives it the scale nan"):
        convert(module, zoo.images(shape, 6), normalization="max")


def test_spikes_of_values_that_no_signal_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "binary" in SPIKES
    burst = Spike("burst", "up to 2 a step", (0, 1, 2), lambda potential, _: potential // 1)
    monkeypatch.setitem(SPIKES._rows, "burst", burst)
    with pytest.raises(SpecError, match=r"spikes burst must have the values .* got \(0, 1, 2\)"):
        Neuron(name="n", inputs=("x",), scale=np.ones(()), spikes="burst")


def test_a_spec_says_for_which_steps_it_was_made_and_others_keep_their_bytes(
    tmp_path: Path,
) -> None:
    module, shape = zoo.build("vgg")
    images = zoo.images(shape, 6)
    plain = convert(module, images)
    save_spec(plain, tmp_path / "plain")
    with safe_open(tmp_path / "plain", framework="numpy") as file:
        written = file.metadata()["spec"]
    assert "for_steps" not in written
    assert "from_step" not in written
    assert "made for" not in str(plain)
    made = convert(
        module, images, calibration="both", for_steps=4, output="potential", output_from=3
    )
    save_spec(made, tmp_path / "made")
    loaded = load_spec(tmp_path / "made")
    assert loaded.for_steps == 4
    assert loaded.output.from_step == 3
    assert "made for 4 steps" in str(loaded)
    for one, other in zip(made, loaded, strict=True):
        if isinstance(one, Neuron):
            assert isinstance(other, Neuron)
            np.testing.assert_array_equal(one.initial_potential, other.initial_potential)


def test_potentials_of_another_shape_or_off_the_grid_are_not_built() -> None:
    module, shape = zoo.build("vgg")
    spec = convert(module, zoo.images(shape, 6))
    name = next(node.name for node in spec if isinstance(node, Neuron))
    with pytest.raises(SpecError, match=f"{name}: initial_potential must have shape"):
        spec.replace(name, initial_potential=np.zeros(3))
    with pytest.raises(SpecError, match="initial_potential is off the grid"):
        spec.replace(name, initial_potential=np.full(spec.shapes[name], 1 / 3))


def test_an_output_counts_from_a_step_on_and_always_the_last_four() -> None:
    """Class 0 gets 1 in each of the first 3 steps, class 1 then 0.5 in each."""
    signal = np.zeros((1, 8, 2))
    signal[0, :3, 0], signal[0, 3:, 1] = 1, 0.5
    received = Received(signal, signal.cumsum(1), np.arange(1), 0)

    def answers(first: int) -> list[int]:
        node = Output(name="output", inputs=("x",), scale=np.ones(()), output="potential",
                      from_step=first)  # fmt: skip
        found: list[int] = OUTPUTS["potential"].answers(node, received)[0].tolist()
        return found

    assert answers(1) == [0] * 8
    # in step 6 the last four have 1 of class 0 and 1.5 of class 1
    assert answers(4) == [0, 0, 0, 0, 0, 1, 1, 1]
    # from step 3 on 1 and 2, then 1 and 2.5; the third spike counts in all of them
    assert answers(3) == [0, 0, 0, 0, 0, 1, 1, 1]


def test_an_automatic_first_step_is_longer_for_deeper_and_for_quieter_networks() -> None:
    module, shape = zoo.build("vgg")
    images = zoo.images(shape, 20)
    plain: dict[str, Any] = {"output": "potential", "output_from": 0}
    first = convert(module, images, **plain).output.from_step
    half = convert(module, images, initial_potential=0.5, **plain).output.from_step
    loud = convert(module, images, normalization="channel", percentile=50.0, **plain)
    assert loud.output.from_step < half < first


def test_answers_from_a_later_step_are_those_of_both_engines() -> None:
    """Class 0 spikes in each step until what inhibits it first spikes, in step 7, and leads
    thereafter only where what came before step 9 counts."""
    layers = [torch.nn.Linear(inputs, 2, bias=False) for inputs in (1, 2, 2)]
    weights = [[1.0], [0.15]], [[1.0, -6.5], [0.3, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    with torch.no_grad():
        for layer, rows in zip(layers, weights, strict=True):
            layer.weight.copy_(torch.tensor(rows))
    first, second, third = layers
    module = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), third).eval()
    images = np.full((3, 1), 255, np.uint8)
    spec = convert(module, images, output="potential", normalization="none", output_from=9)
    whole = spec.replace(spec.output.name, from_step=1)
    kept = simulate(whole, images, steps=16, potentials=True).potentials
    assert kept is not None
    sums = np.concatenate([np.zeros((3, 1, 2)), kept], 1)
    expected = np.stack(
        [(sums[:, t] - sums[:, max(min(8, t - 4), 0)]).argmax(1) for t in range(1, 17)], 1
    )
    assert (kept.argmax(2) == 0).all()
    assert (expected[:, 12:] == 1).all()
    for engine in ("event", "dense"):
        found = simulate(spec, images, np.zeros(3, np.int64), steps=16, engine=engine)
        np.testing.assert_array_equal(found.accuracy(), 100.0 * (expected == 0).mean(0))
