"""Signed spikes and bursts by hand and by theory; `test_event_equals_dense` has them among its
networks.

N(t) = V(0) + S(t) - V(t) of the net count, the sum of the currents and the potential. Where a
neuron is settled, which is that V(t) is in [0, 1), or below 0 with N(t) = 0, or at least 1 with
N(t) = t, this says that N(t) = clip(floor(S(t) + V(0)), 0, t), and where it is not, N(t) is another
number. Sums are linear and the changes of a largest count add up to it, so a network of settled
neurons holds the counts of the network quantized to t levels, integer for integer.

A neuron is settled after every step if no current of it leaves [-1, 1]: from V in [0, 1) one spike
of either sign leads back there, and below it with nothing sent V only waits. So is one whose
current does not change. All others are once the currents have ended, within as many steps as V has
thresholds to go, layer after layer, then without the limit of t.

Bursts of up to two spikes a step have the limit 2t in the place of t, and are settled after every
step if no current leaves [-1, 2].
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from ann2snn.mechanisms.inputs import INPUTS, ImageInput
from ann2snn.mechanisms.outputs import OUTPUTS, Received
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.numerics.windows import pool_windows
from ann2snn.simulation.certificate import certify, signal_bounds
from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.event import program
from ann2snn.simulation.image_block import Block
from ann2snn.simulation.simulate import simulate
from ann2snn.spec import Affine, Conv, Linear, MaxPool, Neuron, Output, SpecError, SpikingSpec
from tests.simulation.event_networks import (
    KINDS,
    ONE,
    PASSING,
    Growing,
    assert_same,
    both,
    random_images,
    random_network,
)
from tests.simulation.quantized_network import distances, settled, sums

KEEP = frozenset({"counts", "potentials"})
KINDS_BACK = tuple(name for name, row in SPIKES.items() if row.signed)
GRAPHS = ("conv", "conv3", "linear", "neuron", "neuron", "pool", "pool", "sum", "add", "concat",
          "reshape", "affine")  # fmt: skip


class Signed(Growing):
    """Neurons all of one kind with V(0) = 1/2; gains before them keep every current within
    `most`."""

    def __init__(self, seed: int, coding: str, most: float, kind: str) -> None:
        super().__init__(seed, coding, spikes=(kind,))
        self.most = most

    def _neuron(self, source: str, shape: tuple[int, ...]) -> None:
        bound = signal_bounds(SpikingSpec(*self.finished()))[source]
        gain = np.full(
            (shape[0], *[1] * (len(shape) - 1)), 2.0 ** -np.ceil(np.log2(bound / self.most))
        )
        self.append(Affine, (source,), gain=gain, bias=np.zeros(gain.shape))
        self.append(Neuron, (self.nodes[-1].name,), spikes=self.spikes[0], initial_potential=0.5)


def signed_network(
    seed: int, most: float, coding: str = "analog", kind: str = "signed"
) -> SpikingSpec:
    """A random graph with branches that are added and joined, and pools."""
    growing = Signed(seed, coding, most, kind)
    kinds = ["conv", "neuron", *growing.rng.choice(GRAPHS, 9).tolist(), "add", "neuron", "concat"]
    for kind in (*kinds, "pool", "conv3", "neuron"):
        growing.grow(kind)
    return SpikingSpec(*growing.finished())


def ran(spec: SpikingSpec, images: npt.NDArray[np.integer], steps: int) -> Block:
    return dense.simulate_block(
        spec, images, np.arange(len(images)), steps=steps, seed=7, precision="float64", keep=KEEP
    )


def neurons(spec: SpikingSpec) -> list[str]:
    return [node.name for node in spec if isinstance(node, Neuron)]


def one_neuron(start: float, *currents: float, kind: str = "signed") -> SpikingSpec:
    """A neuron for each current, which stays the same; nothing else."""
    growing = Growing(0, "analog", image_shape=(len(currents),))
    growing.append(
        Linear, ("image",), weight=np.zeros((len(currents),) * 2), bias=np.array(currents)
    )
    growing.append(Neuron, (growing.nodes[-1].name,), spikes=kind, initial_potential=start)
    return SpikingSpec(*growing.finished())


def test_a_spike_that_came_too_early_is_taken_back_once_and_none_that_was_not_sent() -> None:
    """V(0) = 1/2, currents 0.75, -1.5, -1.5, 0: V = 1.25 sends 1; -1.25 takes it back; then there
    is nothing to take back."""
    currents = np.array([0.75, -1.5, -1.5, 0.0, 2.0, 0.0])[None, :, None]
    potential, sent, spikes = torch.tensor([0.5]), torch.tensor([0.0]), []
    fired = SPIKES["signed"].fired
    for current in currents[0, :, 0]:
        potential = potential + current
        spike = fired(potential, sent)
        potential, sent = potential - spike, sent + spike
        spikes.append(int(spike))
    assert spikes == [1, -1, 0, 0, 0, 0]
    assert (float(potential), float(sent)) == (0.25, 0)


def test_the_answer_by_count_counts_negative_spikes_off() -> None:
    """Class 0 sends 1, and with signed spikes takes it back; class 1 sends 1 in step 3."""
    signal = np.array([[1.0, 0.25], [-1.5, 0.5], [0.0, 0.5]])[None]
    received = Received(signal, signal.cumsum(1), np.arange(1), 0)
    for spikes, answers in (("signed", [0, -1, 1]), ("binary", [0, 0, 0])):
        node = Output(name="output", inputs=("x",), scale=ONE, output="count", spikes=spikes)
        assert OUTPUTS["count"].answers(node, received)[0].tolist() == answers


def test_a_burst_is_of_two_spikes_at_most_and_taken_back_one_by_one() -> None:
    """V(0) = 1/2, currents 1.75, 2.75, -2.5, -1.5: V = 2.25 sends 2; 3 sends 2 and keeps 1; -1.5
    and -2 take one back each."""
    potential, sent, spikes = torch.tensor([0.5]), torch.tensor([0.0]), []
    for current in (1.75, 2.75, -2.5, -1.5):
        potential = potential + current
        spike = SPIKES["burst"].fired(potential, sent)
        potential, sent = potential - spike, sent + spike
        spikes.append(int(spike))
    assert spikes == [2, 2, -1, -1]
    assert (float(potential), float(sent)) == (-1, 2)


@pytest.mark.parametrize("kind", KINDS_BACK)
@pytest.mark.parametrize(
    ("coding", "precision"),
    [("poisson", "int32"), ("poisson", "float64"), ("analog", "float64")],
)
def test_both_engines_send_the_same_signed_spikes_in_every_random_network(
    coding: str, precision: str, kind: str
) -> None:
    taken_back = 0
    for seed in range(16):
        kinds = np.random.default_rng(seed).choice(KINDS, 7).tolist()
        start = ["conv3", "neuron", "conv3", "neuron"]  # the first often takes nothing back
        spec = random_network(seed, coding, [*start, *kinds], spikes=(kind,))
        ours, theirs = both(spec, random_images(spec, 2, seed), steps=14, precision=precision)
        largest = {name: float(values.max()) for name, values in theirs.largest.items()}
        if not certify(spec, largest, 14, precision).exact:
            continue  # chains of currents that outgrow the range
        assert_same(ours, theirs)
        taken_back += sum(int(counts.sum()) for counts in ours.negative.values())
    assert taken_back > 100


def pools(seed: int, channels: int, kind: str) -> SpikingSpec:
    """Pools over signed spikes: disjoint windows of two sizes, windows that share inputs, and a
    pool of a pool."""
    growing = Growing(seed, "poisson", image_shape=(3, 7, 9), spikes=(kind,))
    weight = growing.numbers(channels, 3, 3, 3) - 0.25
    growing.append(
        Conv, ("image",), weight=weight, bias=growing.numbers(channels), padding=(1,) * 4
    )
    growing.append(Neuron, (growing.nodes[-1].name,), spikes=kind, initial_potential=0.5)
    relu = growing.nodes[-1].name
    for size, stride in ((2, 2), (3, 3), (3, 1), (3, 2)):
        rows, columns = (pool_windows(n, size, stride, 0) for n in (7, 9))
        growing.append(MaxPool, (relu,), rows=rows, columns=columns)
    rows, columns = (pool_windows(n, 2, 1, 0) for n in (3, 4))
    growing.append(MaxPool, (f"maxpool{len(growing.nodes) - 4}",), rows=rows, columns=columns)
    return SpikingSpec(*growing.finished())


@pytest.mark.parametrize("kind", KINDS_BACK)
@pytest.mark.parametrize("channels", [1, 33, 70])
def test_pools_of_signed_spikes_are_the_same_in_counts_of_16_and_32_bits(
    channels: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in (program.SHORT_COUNTS, 0):
        monkeypatch.setattr(program, "SHORT_COUNTS", limit)
        spec = pools(3, channels, kind)  # a spec of its own, which is lowered anew
        ours, theirs = both(spec, random_images(spec, 2), steps=40)
        assert_same(ours, theirs)
        assert all(counts.sum() > 0 for counts in ours.negative.values())


@pytest.mark.parametrize("kind", KINDS_BACK)
@pytest.mark.parametrize("channels", [5, 32, 64, 96])
def test_a_constant_current_below_0_takes_back_what_first_potentials_sent(
    channels: int, kind: str
) -> None:
    """First potentials of -2 to 4 thresholds; where none can take one back, kernels do not look."""
    growing = Growing(channels, "analog", image_shape=(2, 3, 3), spikes=(kind,))
    growing.append(
        Conv, ("image",), weight=growing.numbers(channels, 2, 1, 1), bias=growing.numbers(channels)
    )
    first = growing.numbers(channels, 3, 3, most=64) * (np.arange(9).reshape(3, 3) % 2)
    growing.append(Neuron, ("conv1",), spikes=kind, initial_potential=first)
    spec = SpikingSpec(*growing.finished())
    ours, theirs = both(spec, random_images(spec, 3), steps=40)
    assert_same(ours, theirs)
    assert 0 < int(ours.negative["neuron2"].sum()) < int(ours.spikes["neuron2"].sum())


@pytest.mark.parametrize("kind", SPIKES)
def test_a_pool_counts_on_beyond_what_16_bits_hold(kind: str) -> None:
    """Neurons that send as much as they can in each step: bursts are 2^16 spikes in 2^15 steps."""
    growing = Growing(1, "analog", image_shape=(1, 2, 2), spikes=(kind,))
    weight = np.full((2, 1, 1, 1), 4.0)
    growing.append(Conv, ("image",), weight=weight, bias=np.full(2, 2.0))
    growing.append(Neuron, ("conv1",), spikes=kind)
    growing.append(MaxPool, ("neuron2",), rows=((0, 2),), columns=((0, 2),), pooling="rise")
    spec = SpikingSpec(*growing.finished())
    steps = 2**15 + 10 if kind == "burst" else 2**16 + 10
    ours, theirs = both(spec, random_images(spec, 1), steps=steps)
    assert_same(ours, theirs)
    most = 2 if kind == "burst" else 1
    assert int(ours.spikes["maxpool3"].sum()) == 2 * most * steps


@pytest.mark.parametrize("kind", KINDS_BACK)
def test_a_pool_hands_on_what_sums_up_to_the_largest_net_count_after_every_step(kind: str) -> None:
    """The pool is read by a class of its own for every window, so the output shows its signal."""
    growing = Growing(5, "poisson", image_shape=(2, 6, 6), spikes=(kind,))
    growing.append(Conv, ("image",), weight=growing.numbers(3, 2, 3, 3) - 0.25, bias=np.zeros(3))
    growing.append(Neuron, (growing.nodes[-1].name,), spikes=kind, initial_potential=0.5)
    windows = pool_windows(4, 3, 1, 0)
    growing.append(MaxPool, (growing.nodes[-1].name,), rows=windows, columns=windows)
    nodes, grid, levels = growing.finished()
    units = 3 * 2 * 2
    linear = nodes[-2]
    assert isinstance(linear, Linear)
    classes = replace(linear, weight=np.eye(units), bias=np.zeros(units))
    spec = SpikingSpec((*nodes[:-2], classes, nodes[-1]), grid, levels)
    images, (relu,) = random_images(spec, 3), neurons(spec)
    block = ran(spec, images, 30)
    handed_on = block.outputs.cumsum(1)
    assert set(np.unique(block.outputs)) == set(SPIKES[kind].levels)
    for t in range(1, 31):
        counts = ran(spec, images, t).counts[relu].reshape(3, 3, 4, 4)
        seen = np.lib.stride_tricks.sliding_window_view(counts, (3, 3), (2, 3))
        np.testing.assert_array_equal(seen.max((-1, -2)).reshape(3, -1), handed_on[:, t - 1])


@pytest.mark.parametrize("kind", KINDS_BACK)
@pytest.mark.parametrize("pooling", [pooling for pooling in PASSING if pooling != "rise"])
def test_a_pool_of_another_kind_over_signed_spikes_is_not_built(pooling: str, kind: str) -> None:
    growing = Growing(0, "analog", image_shape=(2, 6, 6))
    growing.append(Neuron, ("image",), spikes=kind)
    windows = pool_windows(6, 2, 2, 0)
    growing.append(MaxPool, ("neuron1",), pooling=pooling, rows=windows, columns=windows)
    message = (
        f"maxpool2: pooling {pooling} takes binary spikes, got a signal of kind {kind}; use rise"
    )
    with pytest.raises(SpecError, match=message):
        SpikingSpec(*growing.finished())


@pytest.mark.parametrize("kind", KINDS_BACK)
def test_signed_spikes_with_reset_to_zero_are_not_built(kind: str) -> None:
    with pytest.raises(SpecError, match=f"spikes {kind} go with reset subtract, got zero"):
        Neuron(name="relu", inputs=("x",), scale=ONE, spikes=kind, reset="zero")


@pytest.mark.parametrize("kind", KINDS_BACK)
def test_spikes_of_both_signs_are_counted_and_negative_ones_shown_apart(kind: str) -> None:
    spec = signed_network(1, 4.0, kind=kind)
    images = random_images(spec, 4)
    found = {
        engine: simulate(spec, images, np.zeros(4, int), steps=20, engine=engine)
        for engine in ("event", "dense")
    }
    for result in found.values():
        negative = sum(int(result.negative[name].sum()) for name in neurons(spec))
        assert 0 < negative < sum(int(result.spikes[name].sum()) for name in neurons(spec))
        assert result.metrics()["negative_spikes_per_neuron"] == negative / 4 / spec.neurons


def test_a_constant_current_is_counted_to_twice_the_steps_by_bursts() -> None:
    currents = np.array([-0.375, 0.0, 0.3125, 0.96875, 1.25, 1.75, 2.0, 3.5])
    spec = one_neuron(0.5, *currents, kind="burst")
    images = np.zeros((1, len(currents)), np.int64)
    for steps in (1, 2, 3, 8, 25):
        rounded = np.clip(np.floor(steps * currents + 0.5), 0, 2 * steps)
        np.testing.assert_array_equal(ran(spec, images, steps).counts["neuron2"][0], rounded)


def test_a_constant_current_is_counted_to_the_nearest_whole_number_after_every_step() -> None:
    """Whatever the current: none below 0, and no more than a spike a step."""
    currents = np.array([-0.375, 0.0, 0.0625, 0.3125, 0.5, 0.96875, 1.0, 1.75])
    spec = one_neuron(0.5, *currents)
    images = np.zeros((1, len(currents)), np.int64)
    for steps in (1, 2, 3, 8, 25):
        rounded = np.clip(np.floor(steps * currents + 0.5), 0, steps)
        np.testing.assert_array_equal(ran(spec, images, steps).counts["neuron2"][0], rounded)


def test_a_neuron_is_settled_exactly_where_its_count_is_that_of_its_current() -> None:
    """At any step, whatever its currents; networks of settled neurons are the quantized ones."""
    kinds, whole = np.zeros(2, int), 0
    for seed in range(10):
        spec = signed_network(seed, 8.0)
        images = random_images(spec, 3, seed)
        for steps in (1, 3, 9, 20):
            block = ran(spec, images, steps)
            real = sums(spec, images, steps, counts=block.counts)
            quantized = sums(spec, images, steps)
            rests = np.ones(len(images), bool)
            for name in neurons(spec):
                current = real[spec[name].inputs[0]].flatten(1).numpy()
                wanted = np.clip(np.floor(current + 0.5), 0, steps)
                at_rest = settled(block.counts[name], block.potentials[name], steps)
                np.testing.assert_array_equal(block.counts[name] == wanted, at_rest)
                kinds += at_rest.sum(), (~at_rest).sum()
                rests &= at_rest.all(1)
            whole += rests.sum()
            for name in neurons(spec):
                counts = quantized[name].flatten(1).numpy()
                np.testing.assert_array_equal(block.counts[name][rests], counts[rests])
    assert kinds.min() > 100
    assert whole > 10


@pytest.mark.parametrize("kind", KINDS_BACK)
def test_a_network_of_small_currents_is_the_quantized_one_after_every_step(kind: str) -> None:
    """With residual and concatenated branches and max-pools, integer for integer."""
    taken_back = sent = 0
    most = SPIKES[kind].most
    for seed in range(12):
        spec = signed_network(seed, 1.0, kind=kind)
        images = random_images(spec, 3, seed)
        for steps in (1, 2, 4, 7, 16, 33):
            block = ran(spec, images, steps)
            quantized = sums(spec, images, steps, most=most * steps)
            for name in neurons(spec):
                counts = quantized[name].flatten(1).numpy()
                np.testing.assert_array_equal(block.counts[name], counts, err_msg=f"{seed} {name}")
            taken_back += sum(int(counts.sum()) for counts in block.negative.values())
            sent += sum(int(counts.sum()) for counts in block.spikes.values())
    assert sent > 10_000
    assert taken_back > 20


def test_a_network_whose_input_ends_comes_to_rest_at_the_counts_of_the_quantized_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = 8

    def regular(_s: int, _i: Any, step: Any, _u: Any, pixel: Any, levels: int) -> Any:
        early = step * pixel // levels > (step - 1) * pixel // levels
        return early & (step <= steps)

    assert "analog" in INPUTS
    monkeypatch.setitem(INPUTS._rows, "ending", ImageInput("ending", "spikes, then none", regular))
    differed = 0
    for seed in range(4):
        spec = without_biases(signed_network(seed, 4.0, "ending"))
        images = random_images(spec, 3, seed)
        quantized = sums(spec, images, steps, most=np.inf)
        early, late = ran(spec, images, steps), ran(spec, images, 200)
        for name in neurons(spec):
            counts = quantized[name].flatten(1).numpy()
            assert not late.spikes[name][:, -20:].any()
            np.testing.assert_array_equal(late.counts[name], counts, err_msg=f"{seed} {name}")
            differed += int((early.counts[name] != counts).sum())
    assert differed > 100


def without_biases(spec: SpikingSpec) -> SpikingSpec:
    nodes = [
        replace(node, bias=np.zeros_like(node.bias))
        if isinstance(node, Conv | Linear | Affine)
        else node
        for node in spec
    ]
    return SpikingSpec(tuple(nodes), spec.grid, spec.levels)


def test_before_it_settles_a_network_is_as_far_off_as_its_neurons_lag_by_depth() -> None:
    """|N - n| of a layer is at most its own lag and, rounded up, that of the layers before it times
    the weights between."""
    off = 0
    for seed in range(10):
        spec = signed_network(seed, 8.0)
        images = random_images(spec, 3, seed)
        for steps in (3, 9):
            block, quantized = ran(spec, images, steps), sums(spec, images, steps)
            bounds = distances(spec, block, steps)
            for name in neurons(spec):
                away = np.abs(block.counts[name] - quantized[name].flatten(1).numpy())
                assert away.max() <= bounds[name]
                off += int((away > 0).sum())
    assert off > 100
