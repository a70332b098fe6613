"""What `simulate` takes and refuses, and what it gives."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from ann2snn import convert, simulate
from ann2snn.settings import SettingError
from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.settings import SimulationSettings, available_cores
from ann2snn.spec import Conv, Input, Linear, MaxPool, Neuron, Output, Reshape, SpikingSpec
from tests import zoo


def spec_and_images(floats: bool) -> tuple[SpikingSpec, np.ndarray]:
    module, shape = zoo.build("plain_conv")
    images: np.ndarray = np.asarray(zoo.images(shape, 12))
    assert images.dtype == np.uint8
    if floats:
        images = images / 255
    return convert(module, images), images


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((3, 1, 8, 8), np.uint8)}, r"images must have shape \(N, 2, 8, 8\)"),
        ({"images": np.zeros((0, 2, 8, 8), np.uint8)}, "at least one image, got none"),
        ({"images": np.zeros((3, 2, 8, 8), np.int8)}, "whole numbers up to 255, .* got int8"),
        ({"images": np.zeros((3, 2, 8, 8), bool)}, "whole numbers or floats, got bool"),
        ({"labels": np.zeros(2, np.int64)}, r"labels must have shape \(3,\), got \(2,\)"),
        ({"labels": np.zeros(3)}, "labels must be whole numbers, got float64"),
        ({"labels": np.array([0, 1, 99])}, r"labels must be in \[0, \d+\), got 0 to 99"),
        ({"steps": 0}, "steps must be"),
        ({"record": {"relu": [0]}}, "record must name layers among 1, .*, got 'relu'"),
        ({"record": {"1": [256]}}, r"units of 1 must be in \[0, 256\), got 256"),
        ({"engine": "evnt"}, "engine must be one of auto, dense, event, got 'evnt'"),
        ({"seed": 2**32}, r"seed must be in \[0, 4294967295\], got 4294967296"),
        ({"engine": "event", "device": "cuda"}, "device must be cpu for the event engine"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_value(
    change: dict[str, Any], message: str
) -> None:
    spec, _ = spec_and_images(floats=False)
    given: dict[str, Any] = {
        "images": np.zeros((3, 2, 8, 8), np.uint8),
        "labels": np.zeros(3, np.int64),
    }
    given |= change
    with pytest.raises(ValueError, match=message):
        simulate(spec, given.pop("images"), given.pop("labels"), **given)


def test_bytes_are_refused_where_the_spec_was_calibrated_on_floats() -> None:
    """They would stand for pixels near zero, and every answer would be wrong without a word."""
    spec, images = spec_and_images(floats=True)
    labels = np.zeros(len(images), np.int64)
    with pytest.raises(ValueError, match=r"must be floats, as those .* got uint8"):
        simulate(spec, np.zeros(images.shape, np.uint8), labels)
    assert simulate(spec, images, labels, steps=2).steps == 2


def test_floats_and_the_whole_numbers_they_stand_for_give_the_same_spikes() -> None:
    spec, images = spec_and_images(floats=False)
    labels = np.zeros(len(images), np.int64)
    whole = simulate(spec, images, labels, steps=20)
    floats = simulate(spec, images / 255, labels, steps=20)
    for layer, spikes in whole.spikes.items():
        assert np.abs(spikes - floats.spikes[layer]).max() <= 0.02 * spikes.sum()


@pytest.mark.parametrize("engine", ["dense", "event"])
def test_potentials_and_trains_come_on_request_and_say_what_the_sums_say(engine: str) -> None:
    spec, images = spec_and_images(floats=False)
    labels = np.zeros(len(images), np.int64)
    units = list(range(256))
    result = simulate(
        spec, images, labels, steps=15, engine=engine, block=5, potentials=True,
        record={"1": units},
    )  # fmt: skip
    assert result.potentials is not None
    assert result.potentials.shape == (12, 15, spec.classes)
    right = (result.potentials.argmax(2) == 0).sum(0)
    np.testing.assert_array_equal(right, result.right["potential"])
    assert result.trains["1"].shape == (12, 15, 256)
    np.testing.assert_array_equal(result.trains["1"].sum((0, 2)), result.spikes["1"])
    assert simulate(spec, images, labels, steps=2).potentials is None


@pytest.mark.parametrize("engine", ["dense", "event"])
def test_only_images_that_32_bits_could_lose_a_bit_of_go_through_float64(engine: str) -> None:
    """Weight -60 and 300 steps: pixels above 1024 / 18000 pass 2^24 units of the grid, the exact
    range of float32; whole numbers have 2^31."""
    one = np.ones(())
    reach = {"event": 2.0 ** (31 - 24), "dense": 1.0}[engine]
    spec = SpikingSpec(
        (
            Input(name="pixel", inputs=(), scale=one, shape=(1,)),
            Linear(
                name="w", inputs=("pixel",), scale=one,
                weight=np.array([[1 + 2.0**-14], [-60.0 * reach]]), bias=np.array([2.0**-14, 0.0]),
            ),
            Neuron(name="n", inputs=("w",), scale=one),
            Linear(
                name="classes", inputs=("n",), scale=one, weight=np.eye(2), bias=np.zeros(2)
            ),
            Output(name="out", inputs=("classes",), scale=one, output="potential"),
        ),
        grid=14,
    )  # fmt: skip
    images = np.arange(0, 256, 5, dtype=np.uint8)[:, None]
    labels = np.zeros(len(images), np.int64)
    found = simulate(spec, images, labels, steps=300, engine=engine, block=7, potentials=True)
    double = simulate(
        spec, images, labels, steps=300, engine=engine, precision="float64", potentials=True
    )
    assert found.repeated == sum(60 * k / 255 * 300 + 60 >= 1024 for k in images[:, 0].tolist())
    assert found.certificate.exact
    assert found.curves() == double.curves()
    assert found.potentials is not None
    assert double.potentials is not None
    assert np.array_equal(found.potentials, double.potentials)
    assert found.precision == {"event": "int32", "dense": "float32"}[engine]


ONE = np.ones(())
TWO_CLASSES = np.array([[1.0], [0.5]])


def finer_than_the_threshold() -> tuple[SpikingSpec, np.ndarray, int]:
    """Its threshold has 2^31 units, though its currents and potentials stay far below."""
    nodes = (
        Input(name="pixel", inputs=(), scale=ONE, shape=(1,), input="poisson"),
        Linear(
            name="w", inputs=("pixel",), scale=ONE,
            weight=np.array([[0.25 - 2.0**-31]]), bias=np.zeros(1),
        ),
        Neuron(name="n", inputs=("w",), scale=ONE, reset="zero"),
        Linear(name="classes", inputs=("n",), scale=ONE, weight=TWO_CLASSES, bias=np.zeros(2)),
        Output(name="out", inputs=("classes",), scale=ONE, output="potential"),
    )  # fmt: skip
    return SpikingSpec(nodes, grid=None), np.array([[255]], np.uint8), 40


def sums_behind_a_fine_first_potential() -> tuple[SpikingSpec, np.ndarray, int]:
    """A pool sums currents of two bits in the unit of the neurons behind it, 2^-20."""
    nodes = (
        Input(name="image", inputs=(), scale=ONE, shape=(1, 1, 2), input="poisson"),
        Conv(
            name="w", inputs=("image",), scale=ONE,
            weight=np.full((1, 1, 1, 1), 0.75), bias=np.zeros(1),
        ),
        MaxPool(name="pool", inputs=("w",), scale=ONE, rows=((0, 1),), columns=((0, 2),)),
        Neuron(name="n", inputs=("pool",), scale=ONE, initial_potential=2.0**-20),
        Reshape(name="flat", inputs=("n",), scale=ONE, shape=(1,)),
        Linear(name="classes", inputs=("flat",), scale=ONE, weight=TWO_CLASSES, bias=np.zeros(2)),
        Output(name="out", inputs=("classes",), scale=ONE, output="potential"),
    )  # fmt: skip
    return SpikingSpec(nodes, grid=None), np.array([[[[255, 128]]]], np.uint8), 4000


def pixels_far_above_one() -> tuple[SpikingSpec, np.ndarray, int]:
    """Twice the current leaves 31 bits, and no bound knows of it."""
    nodes = (
        Input(name="pixel", inputs=(), scale=ONE, shape=(1,)),
        Linear(
            name="w", inputs=("pixel",), scale=ONE, weight=np.ones((1, 1)), bias=np.zeros(1)
        ),
        Neuron(name="n", inputs=("w",), scale=ONE),
        Linear(name="classes", inputs=("n",), scale=ONE, weight=TWO_CLASSES, bias=np.zeros(2)),
        Output(name="out", inputs=("classes",), scale=ONE, output="potential"),
    )  # fmt: skip
    return SpikingSpec(nodes, grid=14, pixels=(0.0, 1e5)), np.array([[1e5]]), 5


@pytest.mark.parametrize(
    "case", [finer_than_the_threshold, sums_behind_a_fine_first_potential, pixels_far_above_one]
)
def test_whole_numbers_are_not_taken_where_they_could_wrap_unseen(
    case: Callable[[], tuple[SpikingSpec, np.ndarray, int]],
) -> None:
    spec, images, steps = case()
    labels = np.zeros(1, np.int64)
    found, double = (
        simulate(
            spec, images, labels, steps=steps, engine="event", potentials=True, precision=precision
        )
        for precision in ("auto", "float64")
    )
    assert int(double.spikes["n"].sum()) > 0
    np.testing.assert_array_equal(found.spikes["n"], double.spikes["n"])
    assert found.potentials is not None
    assert double.potentials is not None
    np.testing.assert_array_equal(found.potentials, double.potentials)


def test_a_spec_off_the_grid_goes_through_float64_at_once() -> None:
    module, shape = zoo.build("plain_conv")
    images = zoo.images(shape, 5)
    spec = convert(module, images, grid=-1)
    result = simulate(spec, images, np.zeros(5, np.int64), steps=5)
    assert (result.precision, result.repeated) == ("float64", 0)


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (3, 3), (0, available_cores())])
def test_the_dense_engine_has_the_threads_that_were_asked_for_while_it_runs(
    asked: int, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, images = spec_and_images(floats=False)
    seen: list[int] = []

    def simulate_block(*_: Any, **__: Any) -> Any:
        seen.append(torch.get_num_threads())
        raise MemoryError("no room")

    before = torch.get_num_threads()
    monkeypatch.setattr(dense, "simulate_block", simulate_block)
    torch.set_num_threads(2 if available_cores() != 2 else 1)
    known = torch.get_num_threads()
    try:
        with pytest.raises(RuntimeError, match="no room"):
            simulate(spec, images, np.zeros(12, np.int64), engine="dense", threads=asked)
        assert torch.get_num_threads() == known
    finally:
        torch.set_num_threads(before)
    assert seen == [given]


def test_validation_and_test_answers_are_compared_with_the_ann() -> None:
    spec, images = spec_and_images(floats=False)
    result = simulate(spec, images, np.zeros(len(images), np.int64), steps=30)
    own = result.predictions[spec.output.output]
    assert result.metrics(own)["agreement"] == 100
    assert result.metrics(own)["ann_accuracy"] == result.metrics()["snn_accuracy"]


def test_every_toggle_is_a_keyword_of_simulate_with_its_own_default() -> None:
    """But for the choice of images, which are given."""
    known = inspect.signature(simulate).parameters
    toggles = {f.name: f.default for f in fields(SimulationSettings)}
    toggles = {name: toggles[name] for name in toggles if name not in ("part", "images")}
    found = {name: known[name].default for name in known if name in toggles and name != "images"}
    assert found == toggles
    others = [name for name in known if name not in toggles]
    assert others == ["spec", "images", "labels", "potentials", "record"]


def test_a_keyword_that_simulate_does_not_know_is_refused_with_the_nearest() -> None:
    spec, images = spec_and_images(floats=False)
    wrong: dict[str, Any] = {"precisoin": "float64"}
    with pytest.raises(SettingError, match=r"no keyword precisoin='float64'; did you mean precis"):
        simulate(spec, images, np.zeros(12, np.int64), **wrong)
