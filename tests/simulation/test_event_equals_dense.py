from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from ann2snn.conversion.convert import convert
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.numerics.windows import pool_windows
from ann2snn.simulation.certificate import certify
from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.event import program
from ann2snn.simulation.event import threads as event
from ann2snn.simulation.event.weight_lowering import JOINT
from ann2snn.simulation.image_block import Block
from ann2snn.simulation.simulate import simulate
from ann2snn.spec import Conv, MaxPool, Neuron, SpikingSpec
from tests import random_networks, zoo
from tests.simulation.event_networks import (
    KINDS,
    PASSING,
    Growing,
    assert_same,
    both,
    random_images,
    random_network,
)

TOGGLES: tuple[dict[str, Any], ...] = (
    {},
    {"reset": "zero", "input": "poisson", "pooling": "inverse_time", "normalization": "channel"},
    {"pooling": "exponential", "initial_potential": 0.5, "output": "count"},
    {"spikes": "signed", "initial_potential": 0.5, "output": "count"},
    {"spikes": "burst", "initial_potential": 0.5, "normalization": "channel"},
)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["analog", "poisson"]),
    st.lists(st.sampled_from(KINDS), min_size=2, max_size=9),
    st.booleans(),
    st.sampled_from(["int32", "float64"]),
)
def test_random_spiking_networks_give_the_same_numbers_at_every_step(
    seed: int, coding: str, kinds: list[str], flat: bool, precision: str
) -> None:
    spec = random_network(seed, coding, kinds, flat=flat)
    # long chains of currents outgrow the range
    assume(precision == "float64" or certify(spec, {}, 9, precision).exact)
    ours, theirs = both(spec, random_images(spec, 2, seed), steps=9, precision=precision)
    assert is_exact(spec, ours, 9, precision) == is_exact(spec, theirs, 9, precision)
    assume(is_exact(spec, theirs, 9, precision))
    assert_same(ours, theirs)


def is_exact(spec: SpikingSpec, block: Block, steps: int, precision: str) -> bool:
    """Whether the certificate says that no sum of the run lost a bit."""
    largest = {name: float(values.max()) for name, values in block.largest.items()}
    return certify(spec, largest, steps, precision).exact


@settings(max_examples=10, deadline=None)
@given(random_networks.networks())
def test_converted_random_networks_give_the_same_numbers_at_every_step(
    network: tuple[Any, tuple[int, ...]],
) -> None:
    module, shape = network
    images = zoo.images(shape, 4)
    assert_same_in_all_bits(convert(module, images), images[:2])


def assert_same_in_all_bits(spec: SpikingSpec, images: np.ndarray) -> bool:
    """In float64, and in whole numbers of 32 bits where they are certified; whether they are."""
    assert_same(*both(spec, images, steps=12))
    if not certify(spec, {}, 12, "int32").exact:
        return False
    ours, theirs = both(spec, images, steps=12, precision="int32")
    exact = is_exact(spec, theirs, 12, "int32")
    assert is_exact(spec, ours, 12, "int32") == exact
    if exact:
        assert_same(ours, theirs)
    return exact


@pytest.mark.parametrize("name", sorted(zoo.NETWORKS))
def test_every_network_of_the_zoo_gives_the_same_numbers_at_every_step(name: str) -> None:
    module, shape = zoo.build(name)
    images = zoo.images(shape, 6)
    for toggles in TOGGLES:
        spec = convert(module, images, **toggles)
        own = images[:2].reshape(2, *spec.input.shape)
        # a gain or weight times a weight may be finer than 32 bits are
        finer = any(
            node.kind in ("affine", "conv", "linear")
            and (node.kind == "affine" or spec.signal(node.inputs[0]) == "current")
            and not spec.is_static(node.name)
            for node in spec
        )
        assert assert_same_in_all_bits(spec, own) or finer


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
@pytest.mark.parametrize(("precision", "most"), [("float32", 40), ("float64", 60)])
def test_a_gpu_gives_the_numbers_of_the_processor_wherever_the_run_is_certified_exact(
    precision: str, most: int
) -> None:
    certified = 0
    for name in sorted(zoo.NETWORKS):
        module, shape = zoo.build(name)
        images = zoo.images(shape, 6)
        for toggles in TOGGLES:
            spec = convert(module, images, **toggles)
            own = images.reshape(6, *spec.input.shape)
            blocks = [
                dense.simulate_block(
                    spec, own, np.arange(6), steps=40, seed=7, device=device, precision=kind,
                    keep=frozenset({"counts", "potentials"}),
                )
                for device, kind in (("cuda", precision), ("cpu", "float64"))
            ]  # fmt: skip
            if is_exact(spec, blocks[1], 40, precision):
                certified += 1
                assert_same(*blocks)
    assert certified > most


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
@pytest.mark.parametrize("coding", ["analog", "poisson"])
def test_a_gpu_gives_the_numbers_of_the_event_engine_for_wide_layers(coding: str) -> None:
    """As wide as those that cuDNN transforms or rounds, and with weights of 13 bits."""
    random = np.random.default_rng(0)
    growing = Growing(0, coding, image_shape=(32, 16, 16))
    for channels in (32, 64):
        weight = np.ldexp(random.integers(-(2**12), 2**12, (64, channels, 3, 3)), -14)
        for kind, fields in (
            (Conv, {"weight": weight, "bias": np.zeros(64), "padding": (1, 1, 1, 1)}),
            (Neuron, {}),
        ):
            growing.append(kind, (growing.nodes[-1].name,), **fields)
    spec = SpikingSpec(*growing.finished())
    images = random_images(spec, 3)
    ours = event.simulate_block(spec, images, np.arange(3), steps=30, seed=7)
    theirs = dense.simulate_block(spec, images, np.arange(3), steps=30, seed=7, device="cuda")
    assert is_exact(spec, ours, 30, "float32")
    assert_same(theirs, ours)


@pytest.mark.parametrize(("channels", "tall"), [(1, 9), (2, 5), (3, 3), (5, 3), (4, 4), (8, 2)])
@pytest.mark.parametrize("precision", ["int32", "float64"])
@pytest.mark.parametrize(
    ("source", "largest", "finest"),
    [
        ("poisson", 2.0, 4), ("poisson", 2.0, 14), ("poisson", 0.9, 14), ("signed", 2.0, 4),
        ("burst", 0.9, 14),
    ],
)  # fmt: skip
def test_few_inputs_give_the_sum_of_any_combination_of_their_spikes(
    channels: int, tall: int, precision: str, source: str, largest: float, finest: int
) -> None:
    """Above, below and beside the image too; as few as have a row of weights a combination. In 16
    bits go weights and their sums, neither, or weights alone. Neurons whose current stays the same
    take no spike back, and of bursts no combination has a row."""
    assert channels * tall in JOINT
    drawn = source == "poisson"
    growing = Growing(2, "poisson" if drawn else "analog", image_shape=(channels, 9, 11))
    if not drawn:
        growing.append(
            Conv, ("image",), weight=np.eye(channels)[..., None, None] * 2, bias=np.zeros(channels)
        )
        growing.append(Neuron, ("conv1",), spikes=source, initial_potential=0.5)
    units = int(largest * 2**finest)
    weight = np.ldexp(growing.rng.integers(-units, units, (70, channels, tall, 3)), -finest)
    growing.append(
        Conv, (growing.nodes[-1].name,), weight=weight, bias=growing.numbers(70),
        padding=(tall - 1, 1, 2, 0),
    )  # fmt: skip
    growing.append(Neuron, (growing.nodes[-1].name,))
    spec = SpikingSpec(*growing.finished())
    ours, theirs = both(spec, random_images(spec, 2), steps=30, precision=precision)
    assert_same(ours, theirs)
    assert drawn or (ours.trains["neuron2"].max() == 2) == (source == "burst")


@pytest.mark.parametrize("channels", [17, 31, 32, 33, 64])
@pytest.mark.parametrize("out", [16, 32, 48, 64, 96])
@pytest.mark.parametrize("spikes", sorted(SPIKES))
def test_columns_of_few_and_of_many_spikes_are_summed_up_beside_the_image_too(
    channels: int, out: int, spikes: str
) -> None:
    """The first currents stay the same and are never taken back, the second ones are at times."""
    growing = Growing(channels, "analog", image_shape=(3, 4, 5))
    for width, tall, padding in ((channels, 1, 0), (out, 3, 4), (8, 2, 1)):
        source = growing.nodes[-1].name
        count = growing.shapes[source][0]
        growing.append(
            Conv, (source,), weight=growing.numbers(width, count, tall, 3),
            bias=growing.numbers(width), padding=(padding, padding, 1, 2),
        )  # fmt: skip
        reset = (SPIKES[spikes].resets or ("zero",))[0]
        growing.append(
            Neuron, (growing.nodes[-1].name,), spikes=spikes, reset=reset, initial_potential=0.5
        )
    spec = SpikingSpec(*growing.finished())
    for precision in ("int32", "float64"):
        assert_same(*both(spec, random_images(spec, 2), steps=12, precision=precision))


def pooled(pooling: str) -> SpikingSpec:
    """Pools over 70 channels of spikes: disjoint windows, then windows that share inputs."""
    growing = Growing(3, "poisson", image_shape=(70, 7, 7))
    for size, stride in ((2, 2), (3, 1)):
        windows = pool_windows(7, size, stride, 0)
        growing.append(MaxPool, ("image",), pooling=pooling, rows=windows, columns=windows)
    return SpikingSpec(*growing.finished())


@pytest.mark.parametrize("pooling", PASSING)
def test_each_pooling_chooses_as_the_dense_one_also_where_windows_share_inputs(
    pooling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = pooled(pooling)
    images = random_images(spec, 2)
    assert_same(*both(spec, images, steps=40))
    monkeypatch.setattr(program, "SHORT_COUNTS", 0)  # counts of 32 bits, as for longer runs
    longer = pooled(pooling)  # another spec, which is lowered anew
    assert_same(*both(longer, images, steps=40))


def test_whole_numbers_reach_128_times_as_far_as_float32() -> None:
    """Networks whose potentials leave the exact range of float32, and one that leaves theirs."""
    certified = 0
    for scale in (-5, 1, 6):
        growing = Growing(4, "poisson", image_shape=(3, 5, 5))
        weight = np.ldexp(np.arange(-54.0, 54.0).reshape(4, 3, 3, 3), scale) - 2.0**-14
        growing.append(Conv, ("image",), weight=weight, bias=np.full(4, -(2.0**-14)))
        growing.append(Neuron, (growing.nodes[-1].name,))
        spec = SpikingSpec(*growing.finished())
        ours, theirs = both(spec, random_images(spec, 2), steps=12, precision="int32")
        assert is_exact(spec, theirs, 12, "float32") == (scale == -5)
        assert is_exact(spec, ours, 12, "int32") == is_exact(spec, theirs, 12, "int32")
        if is_exact(spec, ours, 12, "int32"):
            certified += 1
            assert_same(ours, theirs)
    assert certified == 2


@pytest.mark.parametrize("out", [1, 16, 17, 24, 40, 48, 64, 70, 96, 100, 112, 130])
def test_a_convolution_of_any_width_that_skips_pixels_sums_up_the_right_rows(out: int) -> None:
    torch.manual_seed(out)
    module = nn.Sequential(
        nn.Conv2d(3, 9, 3, padding=1), nn.ReLU(),
        nn.Conv2d(9, out, 3, stride=2), nn.ReLU(),
        nn.Conv2d(out, out, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(9 * out, 4),
    )  # fmt: skip
    module.eval()
    images = np.random.default_rng(out).integers(0, 256, (4, 3, 8, 8), dtype=np.uint8)
    spec = convert(module, images)
    event, dense = (
        simulate(spec, images, steps=20, engine=engine, potentials=True)
        for engine in ("event", "dense")
    )
    assert np.array_equal(event.potentials, dense.potentials)  # type: ignore[arg-type]
    for name, spikes in dense.spikes.items():
        np.testing.assert_array_equal(event.spikes[name], spikes, err_msg=name)
