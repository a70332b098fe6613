"""Twins in other libraries send our spikes, each neuron as many; those of libraries that are not
installed here are skipped, and a twin of plain torch stands for what all of them share."""

import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from ann2snn import convert, simulate
from ann2snn.exchange.exports import ExportError
from ann2snn.exchange.targets.sinabs import to_sinabs
from ann2snn.exchange.targets.snntorch import to_snntorch
from ann2snn.exchange.targets.spikingjelly import to_spikingjelly
from ann2snn.exchange.twin import Library, Twin
from ann2snn.exchange.twin_layers import LAYERS
from ann2snn.simulation.dense.steps import simulate_block
from ann2snn.spec import Input, MaxPool, Neuron, Output, Reshape, SpecError, SpikingSpec
from ann2snn.spec.nodes import KINDS
from tests import zoo
from tests.exchange.plain_twin import PlainNeurons, plain_twin

STEPS = 40
IMAGES = 16
TOGGLES: dict[str, dict[str, Any]] = {
    "subtract": {},
    "zero": {"reset": "zero"},
    "half a threshold at the start": {"initial_potential": 0.5, "pooling": "exponential"},
    "a winner of each window": {"pooling": "inverse_time"},
    "the largest mean of a window": {"pooling": "running_mean"},
    "any spike of a window": {"pooling": "spikes"},
    "the average of a window": {"pooling": "average"},
    "potentials of their own": {"calibration": "both", "for_steps": STEPS},
}


Make = Callable[[SpikingSpec], Twin]
PEERS = {"spikingjelly": to_spikingjelly, "snntorch": to_snntorch, "sinabs": to_sinabs}


def needs(package: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed: make test-peers")


MAKES = [plain_twin, *(pytest.param(make, marks=needs(name)) for name, make in PEERS.items())]


@lru_cache
def network(
    name: str, toggles: str = "subtract"
) -> tuple[SpikingSpec, npt.NDArray[np.uint8], dict[str, npt.NDArray[np.int64]]]:
    """A converted network of the zoo, images, and how often each neuron spiked."""
    module, shape = zoo.build(name)
    images = zoo.images(shape, IMAGES)
    spec = convert(module, images, **TOGGLES[toggles])
    images = images.reshape(IMAGES, *spec.input.shape)
    return spec, images, counts_of(spec, images)


def counts_of(spec: SpikingSpec, images: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.int64]]:
    """How often each neuron spiked for each image (images, units), by layer."""
    block = simulate_block(
        spec, images, np.arange(IMAGES), steps=STEPS, seed=0, keep=frozenset({"counts"})
    )
    assert sum(counts.sum() for counts in block.counts.values()) > 50
    return block.counts


def hold_equal(twin: Twin, images: npt.NDArray[np.uint8], counts: dict[str, Any]) -> None:
    run = twin.run(torch.from_numpy(images), STEPS)
    assert run.spikes.keys() == counts.keys()
    for name, spikes in run.spikes.items():
        np.testing.assert_array_equal(spikes.flatten(1).numpy(), counts[name], name)


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("toggles", TOGGLES)
def test_each_neuron_of_a_twin_spikes_as_often_as_ours(make: Make, toggles: str) -> None:
    spec, images, counts = network("plain_conv", toggles)
    twin = make(spec)
    hold_equal(twin, images, counts)
    hold_equal(twin, images, counts)  # a run begins anew


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_every_construction_has_a_twin(make: Make, name: str) -> None:
    spec, images, counts = network(name)
    twin = make(spec)
    hold_equal(twin, images, counts)


@pytest.mark.parametrize("make", MAKES)
def test_a_twin_answers_as_a_simulation_on_any_engine_does(make: Make) -> None:
    spec, images, counts = network("plain_conv")
    run = make(spec).run(torch.from_numpy(images), STEPS)
    ours = simulate(spec, images, steps=STEPS, potentials=True)
    assert ours.potentials is not None
    np.testing.assert_array_equal(run.potential.numpy(), ours.potentials[:, -1])
    assert {name: total.sum() for name, total in counts.items()} == {
        name: ours.spikes[name].sum() for name in counts
    }


@pytest.mark.parametrize("make", MAKES)
def test_pixels_as_floats_and_float64_give_the_same_spikes(make: Make) -> None:
    spec, images, counts = network("residual")
    twin = make(spec).double()
    run = twin.run(torch.from_numpy(images / np.float32(255)), STEPS)
    for name, spikes in run.spikes.items():
        np.testing.assert_array_equal(spikes.flatten(1).numpy(), counts[name], name)


@pytest.mark.parametrize("make", MAKES)
def test_a_call_is_one_step_and_a_reset_begins_anew(make: Make) -> None:
    spec, images, _ = network("plain_conv")
    twin, given = make(spec), torch.from_numpy(images)
    steps = torch.stack([twin(given) for _ in range(5)])
    np.testing.assert_array_equal(steps.sum(0).numpy(), twin.run(given, 5).potential.numpy())
    with pytest.raises(ValueError, match=r"as many as in the step before, 16, got 3; reset\(\)"):
        twin(given[:3])
    twin.reset()
    np.testing.assert_array_equal(twin(given[:3]).numpy(), steps[0, :3].numpy())


@pytest.mark.parametrize("make", MAKES)
def test_a_twin_is_made_of_modules_that_bear_the_names_of_the_spec(make: Make) -> None:
    spec, *_ = network("residual_downsample")
    twin = make(spec)
    inner = [node for node in spec if not isinstance(node, Input | Output)]
    assert len(twin.layers) == len(inner)
    assert isinstance(twin.layers["2_first"], nn.Conv2d)
    assert twin.layer("2.first") is twin.layers["2_first"]
    assert not any(parameter.requires_grad for parameter in twin.parameters())


def test_a_name_that_a_module_may_not_have_or_that_is_taken_gets_an_underscore() -> None:
    spec, images, counts = network("three_linear")
    names = {"1": "keys", "2": "a.b", "3": "a_b"}
    nodes = tuple(
        dataclasses.replace(
            node,
            name=names.get(node.name, node.name),
            inputs=tuple(names.get(name, name) for name in node.inputs),
        )
        for node in spec
    )
    twin = plain_twin(dataclasses.replace(spec, nodes=nodes))
    assert list(twin.layers)[1:4] == ["keys_", "a_b", "a_b_"]
    hold_equal(twin, images, {names.get(name, name): value for name, value in counts.items()})


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize(
    ("toggles", "message"),
    [
        ({"input": "poisson"}, r"input \(input\): input poisson draws spikes"),
        ({"spikes": "signed"}, r"1 \(neuron\): .* has no spikes signed, only binary"),
    ],
)
def test_what_a_library_cannot_have_is_refused_by_node(
    make: Make, toggles: dict[str, Any], message: str
) -> None:
    module, shape = zoo.build("plain_conv")
    spec = convert(module, zoo.images(shape, 5), **toggles)
    with pytest.raises(ExportError, match=message):
        make(spec)


@needs("snntorch")
def test_snntorch_refuses_potentials_that_it_would_reset_at_once() -> None:
    spec, *_ = network("three_linear")
    neuron = next(node for node in spec if isinstance(node, Neuron))
    high = spec.replace(neuron.name, initial_potential=np.full(spec.shapes[neuron.name], 1.5))
    with pytest.raises(ExportError, match=r"1 \(neuron\): snnTorch resets at once"):
        to_snntorch(high)


def test_a_reset_that_a_library_lacks_is_refused_by_node() -> None:
    spec, *_ = network("three_linear")
    library = Library("poor", PlainNeurons, lambda *_: None, lambda layer, z: layer(z), ("zero",))
    with pytest.raises(ExportError, match=r"1 \(neuron\): poor has no reset subtract, only zero"):
        Twin(spec, library)


def test_images_and_steps_that_cannot_be_are_refused() -> None:
    spec, images, _ = network("plain_conv")
    twin = plain_twin(spec)
    with pytest.raises(ValueError, match=r"must have shape \(N, 2, 8, 8\), got \(2, 8, 8\)"):
        twin(torch.from_numpy(images[0]))
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        twin.run(torch.from_numpy(images), 0)


def test_a_twin_leaves_no_kind_of_node_out_and_refuses_a_new_one_by_name() -> None:
    assert LAYERS.missing() == []

    class Late(Reshape):
        pass

    KINDS.pop("late", None)
    with pytest.raises(SpecError, match="pause: there is no torch module for nodes of kind late"):
        LAYERS[Late(name="pause", inputs=("input",), scale=np.ones(()), shape=(4,))]


@pytest.mark.parametrize("export", [to_sinabs, to_snntorch, to_spikingjelly])
def test_an_export_says_which_package_is_missing(
    export: Callable[[SpikingSpec], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, *_ = network("three_linear")
    name = export.__name__.removeprefix("to_")
    for module in {name, *(each for each in sys.modules if each.startswith(f"{name}."))}:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"this needs {name}: pip install {name}"):
        export(spec)


def test_a_pool_over_what_does_not_change_hands_on_the_maximum() -> None:
    module, shape = zoo.build("one_channel")
    layers = nn.Sequential(nn.MaxPool2d(3, 1, 1), *module.children()).eval()
    images = zoo.images(shape, IMAGES)
    spec = convert(layers, images, pooling="inverse_time")
    assert spec.is_static(next(node.name for node in spec if isinstance(node, MaxPool)))
    hold_equal(plain_twin(spec), images, counts_of(spec, images))
