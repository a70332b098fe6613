import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from ann2snn.numerics.compiled import OPTIONS
from ann2snn.numerics.windows import pool_windows
from ann2snn.simulation.certificate import signal_bits, signal_bounds
from ann2snn.simulation.event import arithmetic, bit_lists, sums, vector
from ann2snn.simulation.event import threads as event
from ann2snn.simulation.event.arena import Arena, aligned
from ann2snn.simulation.event.driver import run
from ann2snn.simulation.event.lowering import Lowering
from ann2snn.simulation.image_block import Block
from ann2snn.spec import Conv, Linear, Neuron, Reshape, SpikingSpec, SumPool
from tests.simulation.event_networks import (
    Growing,
    assert_same,
    both,
    random_images,
    random_network,
)

compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit
KINDS = ["conv3", "neuron", "pool", "conv3", "neuron", "linear", "neuron"]


def simulated(
    spec: SpikingSpec, images: npt.NDArray[np.integer], indices: list[int], threads: int
) -> Block:
    return event.simulate_block(
        spec, images[indices], np.array(indices, np.int64), steps=8, seed=3, threads=threads
    )


@pytest.mark.parametrize("coding", ["analog", "poisson"])
def test_threads_order_and_size_of_a_block_change_no_bit(coding: str) -> None:
    spec = random_network(5, coding, KINDS)
    images = random_images(spec, 11)
    whole = simulated(spec, images, list(range(11)), 1)
    assert_same(simulated(spec, images, list(range(11)), 3), whole)
    backwards = simulated(spec, images, list(range(10, -1, -1)), 2)
    for name, array in backwards.arrays().items():
        np.testing.assert_array_equal(array[::-1], whole.arrays()[name])
    single = simulated(spec, images, [7], 2)
    for name, array in single.arrays().items():
        np.testing.assert_array_equal(array[0], whole.arrays()[name][7])


@pytest.mark.parametrize("coding", ["analog", "poisson"])
@pytest.mark.parametrize("steps_at_a_time", [1, 3, 16])
def test_how_many_steps_a_layer_takes_at_a_time_changes_no_bit(
    coding: str, steps_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = random_network(6, coding, [*KINDS, "concat", "pool", "add", "sum"])
    images = random_images(spec, 2)
    whole = event.simulate_block(spec, images, np.arange(2), steps=35, seed=3)
    monkeypatch.setattr(event, "MOST_STEPS", steps_at_a_time)
    assert_same(event.simulate_block(spec, images, np.arange(2), steps=35, seed=3), whole)


def test_memory_bounds_the_steps_that_a_layer_takes_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    growing = Growing(1, "poisson", image_shape=(16, 64, 64))
    growing.append(Conv, ("image",), weight=np.ones((64, 16, 1, 1)), bias=np.zeros(64))
    spec = SpikingSpec(*growing.finished())
    tiles: list[int] = []

    def seen(*arguments: Any) -> Any:
        tiles.append(arguments[5].shape[0])
        return run(*arguments)

    monkeypatch.setattr("ann2snn.simulation.event.threads.run", seen)
    for memory in (1, 8, 64):
        event.simulate_block(
            spec, random_images(spec, 1), np.arange(1), steps=20, seed=3, memory=memory
        )
    assert tiles[0] == 1
    assert 1 < tiles[1] < tiles[2] <= 16


def test_a_fault_names_its_image_and_stops_the_other_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = random_network(5, "analog", KINDS)
    images = random_images(spec, 40)
    started: list[int] = []

    def faulty(*arguments: Any) -> Any:
        image = next(a for a in arguments[::-1] if type(a) is int)
        started.append(image)
        if image == 103:
            raise FloatingPointError("injected")
        time.sleep(0.01)  # else one thread may have done all before the other has failed
        return run(*arguments)

    monkeypatch.setattr("ann2snn.simulation.event.threads.run", faulty)
    indices = np.arange(100, 140, dtype=np.int64)
    with pytest.raises(RuntimeError, match="image 103 failed: injected"):
        event.simulate_block(spec, images, indices, steps=8, seed=3, threads=2)
    assert len(started) < 40


def test_an_operation_that_the_driver_does_not_know_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = random_network(5, "analog", KINDS)
    lowered = Lowering(spec, "int32", False, frozenset(), {}).lowered()
    lowered.operations["kind"][-1] = 999
    monkeypatch.setattr(event, "_lowered", lambda *_: lowered)
    with pytest.raises(RuntimeError, match=r"image 3 failed: .* operation of unknown code 999"):
        simulated(spec, random_images(spec, 4), [3], 1)


def test_a_program_serves_every_number_of_steps() -> None:
    spec = random_network(5, "analog", KINDS)
    event._lowered.cache_clear()
    for steps in (1, 8, 300):
        event.simulate_block(spec, random_images(spec, 1), np.arange(1), steps=steps, seed=3)
    assert event._lowered.cache_info().misses == 1


@pytest.mark.parametrize(("kind", "first"), [(np.uint16, 100), (np.uint64, 70_000)])
def test_lists_of_bits_hold_every_bit_in_order_on_any_processor(
    kind: type[np.unsignedinteger], first: int
) -> None:
    def whole(lister: Any, start: Any) -> Any:
        def listed(masks: Any, events: Any) -> Any:
            count = np.uint64(0)
            for mask in masks:
                count = lister(mask, start, events, count)
            return count

        return numba.njit(**OPTIONS)(listed)

    @compiled
    def packed(masks: Any, events: Any) -> Any:
        count = np.uint64(0)
        for mask in masks:
            count = bit_lists.pack(mask & np.uint64(0xFFFFFFFF), np.uint64(first), events, count)
            count = bit_lists.pack(mask >> np.uint64(32), np.uint64(first + 32), events, count)
        return count

    @compiled
    def looked_up(masks: Any, events: Any) -> Any:
        count, low = np.uint64(0), np.uint64(0xFFFFFFFF)
        for mask in masks:
            count = bit_lists.look_up(mask & low, False, np.int64(first), events, count)
            count = bit_lists.look_up(mask & ~low, True, np.int64(first), events, count)
        return count

    masks = [0, 1, 2**63, 2**64 - 1, 0x8001000100018001, 0xFFFF00000000FFFF, 5 << 31]
    words = np.array(masks, np.uint64)
    packed_wide = whole(bit_lists.pack_wide, np.uint64(first))
    packed_both = whole(bit_lists.pack_both, np.uint64(first))
    looked_up_both = whole(bit_lists.look_up_both, np.int64(first))
    for kernels, period in (
        ((packed, packed_wide, looked_up), 64),
        ((packed_both, looked_up_both), 32),
    ):
        expected = [first + i % period for mask in masks for i in range(64) if mask >> i & 1]
        for kernel in kernels:
            events = np.zeros(1000, kind)
            count = int(kernel(words, events))
            assert events[:count].tolist() == expected


@pytest.mark.parametrize("way", ["MULTIPLIES_AND_ADDS", "MULTIPLIES_IN_PAIRS", "shifts"])
def test_pairs_of_interleaved_16_bit_rows_sum_up_exactly_in_channel_order(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the largest numbers allowed too, with the processor's own instructions and without."""
    features = sums.FEATURES
    has = {"MULTIPLIES_AND_ADDS": "avx512vnni", "MULTIPLIES_IN_PAIRS": "avx2"}
    if way in has and not features.get(has[way]):
        pytest.skip(f"this processor has no {has[way]}")
    for each in has:
        monkeypatch.setattr(sums, each, each == way)

    @vector.plain
    def store_sums(rows: Any, out: Any, one: Any, other: Any, nothing: Any) -> None:
        """The sum to the first row's place, and 0 less it to the second's."""
        vector.store(out, one, sums.add_pair(nothing, rows, one, other))
        vector.store(out, other, sums.take_pair(nothing, rows, one, other))

    def kernel(rows: Any, out: Any) -> None:
        for row in range(0, 4, 2):
            one, other = np.uint64(row * 240), np.uint64((row + 1) * 240)
            store_sums(rows, out, one, other, sums.zero_sums(rows, 16))
            one, other = one + np.uint64(16), other + np.uint64(16)
            store_sums(rows, out, one, other, sums.zero_sums(rows, 32))
            one, other = one + np.uint64(32), other + np.uint64(32)
            store_sums(rows, out, one, other, sums.zero_sums(rows, 64))
            one, other = one + np.uint64(64), other + np.uint64(64)
            store_sums(rows, out, one, other, sums.zero_sums(rows, 128))

    order, start = [], 0
    for block in (16, *[32] * 7):
        order += [start + i for i in sums.interleaved(block)]
        start += block
    largest = (1 << 14) - 1
    rows = np.random.default_rng(0).integers(-largest, largest + 1, (4, 240)).astype(np.int16)
    rows[:2, ::2], rows[:2, 1::2] = largest, -largest
    found = np.zeros((4, 240), np.int32)
    numba.njit(**OPTIONS)(kernel)(rows[:, order].ravel(), found.ravel())
    wide = rows.astype(np.int64)
    np.testing.assert_array_equal(found[::2], wide[::2] + wide[1::2])
    np.testing.assert_array_equal(found[1::2], -found[::2])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
def test_vectors_fire_reset_and_fold_lane_by_lane(dtype: type[np.number]) -> None:
    @compiled
    def kernel(numbers: Any, out: Any) -> Any:
        none = vector.zeros(numbers, 32)
        charged = vector.load(numbers, np.uint64(0), none)
        fired = arithmetic.at_least(charged, numbers[32])
        vector.store(out, np.uint64(0), arithmetic.minus_where(charged, numbers[32], fired))
        vector.store(out, np.uint64(32), arithmetic.zero_where(charged, fired))
        vector.store(out, np.uint64(64), arithmetic.fold(arithmetic.magnitude(charged)))
        return fired, arithmetic.largest_lane(arithmetic.magnitude(charged))

    numbers = np.array([*range(-9, 23), 7], dtype)
    out = np.zeros(80, dtype)
    fired, largest = kernel(numbers, out)
    numbers = numbers[:32]
    spikes = numbers >= 7
    assert [fired >> i & 1 for i in range(32)] == spikes.tolist()
    assert largest == 22
    np.testing.assert_array_equal(out[:32], numbers - 7 * spikes)
    np.testing.assert_array_equal(out[32:64], np.where(spikes, 0, numbers))
    np.testing.assert_array_equal(out[64:], np.abs(numbers).reshape(2, 16).max(0))


def test_the_least_whole_number_is_the_largest_in_magnitude() -> None:
    """It has no positive twin, and it is what a sum that leaves the range by one becomes."""

    @compiled
    def kernel(numbers: Any) -> Any:
        charged = vector.load(numbers, np.uint64(0), vector.zeros(numbers, 16))
        return arithmetic.largest_lane(arithmetic.magnitude(charged))

    numbers = np.full(16, 2**31 - 1, np.int32)
    assert kernel(numbers) == 2**31 - 1
    numbers[5] = -(2**31)
    assert kernel(numbers) == 2**31


def test_arrays_in_an_arena_begin_on_cache_lines_and_share_nothing() -> None:
    arena = Arena("float32")
    first, second = arena.put(np.ones(5)), arena.put(np.full((2, 9), 2.0))
    array = arena.array()
    assert (first, second, array.size) == (0, 16, 48)
    assert array[:5].tolist() == [1] * 5
    assert array[16:34].tolist() == [2] * 18
    assert array.sum() == 41
    assert array.ctypes.data % 64 == aligned(3, "int64").ctypes.data % 64 == 0


def traced_peak(run: Callable[[], object]) -> int:
    """The bytes that arrays and objects take at most while `run` runs."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("after", ["nothing", "pool"])
def test_a_wide_layer_is_written_in_half_the_memory_of_its_weights(after: str) -> None:
    """16-bit rows take a quarter of it; bits and bounds of all signals are asked for too."""
    growing = Growing(2, "poisson", image_shape=(3, 32, 32))
    if after == "pool":  # whose windows share inputs, so that their weights are summed up
        windows = pool_windows(32, 3, 1, 1)
        growing.append(SumPool, ("image",), rows=windows, columns=windows)
    units = 3 * 32 * 32
    growing.append(Reshape, (growing.nodes[-1].name,), shape=(units,))
    weight = np.ldexp(np.random.default_rng(0).integers(-99, 99, (4000, units)), -9)
    bias = np.zeros(len(weight))
    growing.append(Linear, (growing.nodes[-1].name,), weight=weight, bias=bias)
    growing.append(Neuron, (growing.nodes[-1].name,))
    spec = SpikingSpec(*growing.finished())
    assert traced_peak(lambda: signal_bits(spec)) < 0.1 * weight.nbytes
    assert traced_peak(lambda: signal_bounds(spec)) < 0.1 * weight.nbytes
    lowered = Lowering(spec, "int32", False, frozenset(), {}).lowered
    assert traced_peak(lowered) < 0.5 * weight.nbytes


def test_a_later_start_compiles_nothing(tmp_path: Path) -> None:
    program = """
import numpy as np
from ann2snn.simulation.event import threads as event
from tests.simulation.event_networks import random_images, random_network
spec = random_network(5, "analog", ["conv3", "neuron"])
event.simulate_block(spec, random_images(spec, 1), np.arange(1), steps=2, seed=0, threads=1)
"""
    environment = {"ANN2SNN_CACHE_DIR": str(tmp_path), "PYTHONPATH": "src:."}
    states = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
        files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
        states.append([(path, path.stat().st_mtime_ns) for path in files])
    assert any(path.suffix == ".nbc" for path, _ in states[0])
    assert states[0] == states[1]


def test_a_list_has_room_for_a_row_of_zeros_behind_every_single_spike() -> None:
    """All of 400 columns of one channel spike: each is listed, made even, and ended."""
    growing = Growing(1, "poisson", image_shape=(1, 1, 400))
    growing.append(
        Conv, ("image",), weight=np.ones((1, 1, 1, 3)), bias=np.zeros(1), padding=(0, 0, 1, 1)
    )
    growing.append(Neuron, (growing.nodes[-1].name,))
    spec = SpikingSpec(*growing.finished())
    images = np.full((1, *spec.input.shape), spec.levels, np.int64)
    assert_same(*both(spec, images, steps=3))
