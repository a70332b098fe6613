"""Networks of one dimension take the images that they were converted from."""

from pathlib import Path

import numpy as np
import pytest

from ann2snn import convert, load_spec, save_spec, simulate
from ann2snn.simulation.result import SimulationResult
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import run_blocks
from ann2snn.spec import SpikingSpec
from tests import zoo


def network() -> tuple[SpikingSpec, np.ndarray]:
    module, shape = zoo.build("one_dimensional")
    assert shape == (2, 20)
    images: np.ndarray = np.asarray(zoo.images(shape, 6))
    return convert(module, images), images


def assert_same(first: SimulationResult, second: SimulationResult) -> None:
    assert first.potentials is not None
    assert second.potentials is not None
    assert np.array_equal(first.potentials, second.potentials)
    for counts in ("spikes", "synops", "predictions", "lasting", "right"):
        mine, theirs = getattr(first, counts), getattr(second, counts)
        assert list(mine) == list(theirs)
        assert all(np.array_equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("engine", ["event", "dense"])
@pytest.mark.parametrize("floats", [False, True])
def test_images_of_one_dimension_give_what_images_of_height_1_give(
    engine: str, floats: bool
) -> None:
    spec, images = network()
    if floats:
        images = images / 256
    labels = np.arange(6) % spec.classes
    flat = simulate(spec, images, labels, steps=9, engine=engine, potentials=True)
    tall = simulate(spec, images[:, :, None], labels, steps=9, engine=engine, potentials=True)
    assert sum(int(counts.sum()) for counts in flat.spikes.values()) > 0
    assert_same(flat, tall)


def test_both_engines_give_the_same_for_images_of_one_dimension() -> None:
    spec, images = network()
    labels = np.arange(6) % spec.classes
    event, dense = (
        simulate(spec, images, labels, steps=30, engine=engine, potentials=True)
        for engine in ("event", "dense")
    )
    assert_same(event, dense)
    assert event.certificate.exact


def test_rates_of_one_dimension_come_near_the_activations() -> None:
    spec, images = network()
    result = simulate(spec, images, steps=400, compare=True)
    assert min(float(found.correlation[-1]) for found in result.comparisons.values()) > 0.99


def test_a_saved_spec_takes_images_of_one_dimension(tmp_path: Path) -> None:
    spec, images = network()
    save_spec(spec, tmp_path / "spec.safetensors")
    again = simulate(load_spec(tmp_path / "spec.safetensors"), images, steps=9)
    assert np.array_equal(again.answers, simulate(spec, images, steps=9).answers)


def test_blocks_of_the_pipeline_take_images_of_one_dimension() -> None:
    spec, images = network()
    labels = np.arange(6) % spec.classes
    settings = SimulationSettings(steps=9, block=4)
    result = run_blocks(spec, images, labels, settings, indices=np.array([1, 3, 4, 5, 0]))
    whole = simulate(spec, images, labels, steps=9)
    assert np.array_equal(result.answers, whole.answers[[1, 3, 4, 5, 0]])


@pytest.mark.parametrize("shape", [(20, 2), (2, 19), (2, 2, 20), (2, 20, 1), (20,), (40,)])
def test_other_shapes_are_refused_with_both_that_fit(shape: tuple[int, ...]) -> None:
    spec, _ = network()
    with pytest.raises(ValueError, match=r"shape \(N, 2, 1, 20\) or \(N, 2, 20\), got"):
        simulate(spec, np.zeros((3, *shape), np.uint8))


def test_images_of_one_dimension_fit_no_network_of_two() -> None:
    module, shape = zoo.build("plain_conv")
    spec = convert(module, zoo.images(shape, 6))
    with pytest.raises(ValueError, match=r"shape \(N, 2, 8, 8\), got \(3, 2, 64\)"):
        simulate(spec, np.zeros((3, 2, 64), np.uint8))
