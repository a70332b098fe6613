"""NIR graphs hold a network whole: what is read back is the same spec and sends the same spikes."""

import dataclasses
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ann2snn import convert, from_nir, simulate, to_nir
from ann2snn.exchange.exports import ExportError
from ann2snn.exchange.nir_nodes import FORMS, REFUSED
from ann2snn.exchange.window_geometry import axis_geometry
from ann2snn.numerics.windows import pool_windows
from ann2snn.spec import (
    Add,
    Affine,
    Conv,
    Input,
    MaxPool,
    Neuron,
    Node,
    Output,
    Reshape,
    SpikingSpec,
    SumPool,
)
from ann2snn.spec.nodes import KINDS, Shape
from tests import zoo

nir = pytest.importorskip("nir", reason="nir is not installed: pip install 'ann2snn[exchange]'")

STEPS = 40
IMAGES = 16
REFUSED_NETWORKS = {
    "inception": r"cat \(concat\): NIR has no concatenation",
    "dense_chain": r"cat \(concat\): NIR has no concatenation",
    "branches": r"cat \(concat\): NIR has no concatenation",
    "global_sum": r"cat \(concat\): NIR has no concatenation",
    "shuffled": r"chunk.select \(select\): NIR has no selection of channels",
    "res2": r"split.* \(select\): NIR has no selection of channels",
    "dual_path": r"getitem \(select\): NIR has no selection of channels",
    "overlapping_pool": r"5 \(maxpool\): NIR's windows have one size and one step, got \(\(0, 2\)",
}
TOGGLES: dict[str, dict[str, Any]] = {
    "zero": {"reset": "zero"},
    "poisson and signed": {"input": "poisson", "spikes": "signed", "initial_potential": 0.5},
    "a winner of each window": {"pooling": "inverse_time", "output": "potential"},
    "potentials of their own": {
        "calibration": "both",
        "for_steps": STEPS,
        "output": "potential",
        "output_from": 8,
    },
    "no grid": {"grid": -1},
}
ONE = np.ones(())


@lru_cache
def network(name: str, toggles: str = "") -> tuple[SpikingSpec, npt.NDArray[np.uint8]]:
    module, shape = zoo.build(name)
    images = zoo.images(shape, IMAGES)
    spec = convert(module, images, **TOGGLES.get(toggles, {}))
    return spec, images.reshape(IMAGES, *spec.input.shape)


def read_back(spec: SpikingSpec, folder: Path) -> SpikingSpec:
    nir.write(folder / "net.nir", to_nir(spec))
    return from_nir(folder / "net.nir")


def alike(one: Node, other: Node) -> bool:
    """Whether two nodes say the same; gains and biases as far as they broadcast alike."""
    for name, value in vars(one).items():
        theirs = getattr(other, name)
        if isinstance(value, np.ndarray) and name in ("gain", "bias"):
            value, theirs = np.broadcast_arrays(value, theirs)
        if not np.array_equal(value, theirs):
            return False
    return type(one) is type(other)


def hold_equal(spec: SpikingSpec, again: SpikingSpec) -> None:
    assert [node.name for node in again] == [node.name for node in spec]
    for one, other in zip(spec, again, strict=True):
        assert alike(one, other), one.name
    for name in ("grid", "levels", "for_steps", "pixels", "shapes"):
        assert getattr(again, name) == getattr(spec, name)


def hold_spikes(spec: SpikingSpec, again: SpikingSpec, images: npt.NDArray[np.uint8]) -> None:
    ours, theirs = (simulate(each, images, steps=STEPS, engine="dense") for each in (spec, again))
    assert sum(spikes.sum() for spikes in ours.spikes.values()) > 1000
    for name, spikes in ours.spikes.items():
        np.testing.assert_array_equal(theirs.spikes[name], spikes, name)
    np.testing.assert_array_equal(theirs.answers, ours.answers)


@pytest.mark.parametrize("name", [name for name in zoo.NETWORKS if name not in REFUSED_NETWORKS])
def test_a_network_that_is_read_back_sends_the_same_spikes(name: str, tmp_path: Path) -> None:
    spec, images = network(name)
    again = read_back(spec, tmp_path)
    hold_equal(spec, again)
    hold_spikes(spec, again, images)


@pytest.mark.parametrize("toggles", TOGGLES)
def test_what_nir_cannot_say_comes_back_from_the_metadata(toggles: str, tmp_path: Path) -> None:
    spec, images = network("plain_conv", toggles)
    again = read_back(spec, tmp_path)
    hold_equal(spec, again)
    hold_spikes(spec, again, images)


@pytest.mark.parametrize("name", REFUSED_NETWORKS)
def test_a_network_that_nir_cannot_hold_is_refused_by_node(name: str) -> None:
    with pytest.raises(ExportError, match=REFUSED_NETWORKS[name]):
        to_nir(network(name)[0])


def test_the_metadata_say_reset_threshold_test_start_poolings_and_spikes_in_words() -> None:
    spec, _ = network("plain_conv", "a winner of each window")
    own = to_nir(spec).metadata["ann2snn"]
    content = json.loads(own["spec"])
    by_kind = {entry["kind"]: entry for entry in content["nodes"]}
    assert (content["threshold_test"], content["grid"], content["for_steps"]) == (">=", 14, 0)
    neuron = by_kind["neuron"]
    assert (neuron["reset"], neuron["spikes"]) == ("subtract", "binary")
    assert neuron["initial_potential"] == 0.0
    assert by_kind["maxpool"]["pooling"] == "inverse_time"
    assert by_kind["output"]["output"] == "potential"
    assert "AvgPool2d of kind maxpool stands for a max-pooling" in own["about"]


def test_weights_and_shapes_are_nirs_own_and_what_is_changed_there_is_read() -> None:
    spec, _ = network("plain_conv")
    graph = to_nir(spec)
    conv = next(node for node in spec if isinstance(node, Conv))
    np.testing.assert_array_equal(graph.nodes[conv.name].weight, conv.weight)
    for node in spec:
        assert tuple(graph.nodes[node.name].output_type["output"]) == spec.shapes[node.name]
    graph.nodes[conv.name].weight = conv.weight * 2
    changed = from_nir(graph)[conv.name]
    assert isinstance(changed, Conv)
    np.testing.assert_array_equal(changed.weight, conv.weight * 2)


def spec_of(*middle: Node, shape: tuple[int, ...] = (2, 4, 4)) -> SpikingSpec:
    """A spec of these nodes, the first of which reads `image`, and neurons before the output."""
    size = math.prod(middle[-1].output_shape([shape]))
    ends = (
        Reshape(name="flat", inputs=(middle[-1].name,), scale=ONE, shape=(size,)),
        Neuron(name="relu", inputs=("flat",), scale=ONE),
        Output(name="classes", inputs=("relu",), scale=ONE),
    )
    return SpikingSpec(
        (Input(name="image", inputs=(), scale=ONE, shape=shape), *middle, *ends), grid=14
    )


def affine(gain: Any, bias: Any) -> Affine:
    return Affine(name="norm", inputs=("image",), scale=ONE, gain=np.array(gain),
                  bias=np.array(bias))  # fmt: skip


@pytest.mark.parametrize(
    ("node", "shape", "primitive"),
    [
        (affine([[[2.0]], [[0.5]]], [[[0.25]], [[1.0]]]), (2, 4, 4), "Conv2d"),
        (affine(2.0, 0.0), (2, 4, 4), "Scale"),
        (affine([1.0, 2.0, 4.0], [0.0, 0.5, 0.25]), (3,), "Affine"),
    ],
)
def test_gains_and_biases_are_held_by_the_primitive_that_can(
    node: Affine, shape: tuple[int, ...], primitive: str, tmp_path: Path
) -> None:
    spec = spec_of(node, shape=shape)
    assert type(to_nir(spec).nodes["norm"]).__name__ == primitive
    hold_equal(spec, read_back(spec, tmp_path))


def conv(**fields: Any) -> Conv:
    return Conv(name="conv", inputs=("image",), scale=ONE, weight=np.ones((2, 2, 3, 3)),
                bias=np.zeros(2), **fields)  # fmt: skip


def sum_pool(rows: Any) -> SumPool:
    return SumPool(name="pool", inputs=("image",), scale=ONE, rows=rows, columns=((0, 4),))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (conv(padding=(0, 1, 0, 1)), r"conv \(conv\): NIR pads both ends of an axis alike, got"),
        (sum_pool(((0, 1), (1, 4))), r"pool \(sumpool\): NIR's windows have one size"),
        (Reshape(name="image2", inputs=("image",), scale=ONE, shape=(4, 4, 2)),
         r"image2 \(reshape\): NIR can only flatten, and this gives the shape \(4, 4, 2\)"),
        (Add(name="twice", inputs=("image", "image"), scale=ONE),
         r"twice \(add\): reads a signal twice, and NIR has each edge once"),
        (affine(np.ones((2, 4, 4)), np.eye(4)), r"norm \(affine\): its gains or biases differ"),
        (Reshape(name="a/b", inputs=("image",), scale=ONE, shape=(32,)),
         r"a/b \(reshape\): a file of NIR takes no / in a name"),
    ],
)  # fmt: skip
def test_a_node_that_nir_cannot_hold_is_named_with_the_reason(node: Node, message: str) -> None:
    inputs: list[Shape] = [(2, 4, 4) for _ in node.inputs]
    size = math.prod(node.output_shape(inputs))
    flat = Reshape(name="flat", inputs=(node.name,), scale=ONE, shape=(size,))
    image = Input(name="image", inputs=(), scale=ONE, shape=(2, 4, 4))
    spec = SpikingSpec((image, node, flat, Output(name="out", inputs=("flat",), scale=ONE)))
    with pytest.raises(ExportError, match=message):
        to_nir(spec)


def test_every_kind_of_node_has_a_form_or_a_reason_and_a_new_one_is_refused_by_name() -> None:
    class Pause(Reshape):
        pass

    KINDS.pop("pause", None)
    assert {*FORMS, *REFUSED} == set(KINDS.values())
    pause = Pause(name="late", inputs=("image",), scale=ONE, shape=(32,))
    with pytest.raises(ExportError, match=r"late \(pause\): there is no NIR primitive for nodes"):
        to_nir(spec_of(pause))


@pytest.mark.parametrize("size", [1, 4, 7, 12])
def test_the_geometry_of_windows_gives_them_back(size: int) -> None:
    for kernel in range(1, size + 1):
        for stride in range(1, size + 1):
            for padding in range(kernel // 2 + 1):
                windows = pool_windows(size, kernel, stride, padding)
                found = axis_geometry(windows, size)
                assert found is not None, (kernel, stride, padding)
                assert pool_windows(size, *found) == windows
    assert axis_geometry(((0, 1), (1, 4)), 4) is None
    assert axis_geometry(((0, 2), (2, 3)), 3) is None
    assert axis_geometry(((0, 2),), 9) is not None, "a window of a part of the axis"


def test_a_max_pool_stands_as_an_average_with_the_same_windows() -> None:
    spec, _ = network("plain_conv")
    pool = next(node for node in spec if isinstance(node, MaxPool))
    primitive = to_nir(spec).nodes[pool.name]
    assert isinstance(primitive, nir.AvgPool2d)
    assert [int(primitive.kernel_size[0]), int(primitive.stride[0])] == [2, 2]
    assert dataclasses.asdict(primitive)["padding"].tolist() == [0, 0]
