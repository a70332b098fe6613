"""Images that leave once their answer is clear: what is simulated, and what is not."""

from typing import Any

import numpy as np
import pytest

from ann2snn import convert, simulate
from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.settings import SettingError
from ann2snn.simulation.answers import early_exit, leads
from ann2snn.simulation.event import threads as event
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.spec import SpikingSpec
from tests import zoo
from tests.simulation.event_networks import random_images, random_network

STEPS = 20
KINDS = ["conv3", "neuron", "pool", "conv3", "neuron", "linear", "neuron"]


def network() -> tuple[SpikingSpec, np.ndarray]:
    module, shape = zoo.build("plain_conv")
    images = np.asarray(zoo.images(shape, 12))
    return convert(module, images, spikes="signed", initial_potential=0.5), images


@pytest.mark.parametrize("coding", ["analog", "poisson"])
@pytest.mark.parametrize("seed", range(4))
def test_an_image_that_leaves_is_simulated_up_to_its_step_and_no_further(
    coding: str, seed: int
) -> None:
    """It leaves at the step that the curve of early exit names, and has all numbers of a run of so
    many steps, potentials too."""
    spec = random_network(seed, coding, KINDS)
    images, places = random_images(spec, 6), np.arange(6)
    keep: dict[str, Any] = {"seed": 3, "keep": frozenset({"counts", "potentials"})}
    whole = event.simulate_block(spec, images, places, steps=STEPS, seed=3)
    potential = whole.outputs.cumsum(1)
    margin = float(np.median(leads(potential)[:, STEPS // 2])) or 1.0
    _, leaves = early_exit(potential, leads(potential), margin)
    left = event.simulate_block(
        spec, images, places, steps=STEPS, exit_margin=margin, threads=2, **keep
    ).arrays()
    assert left["taken"].tolist() == leaves.tolist()
    for image, steps in enumerate(leaves):
        chosen = slice(image, image + 1)
        shorter = event.simulate_block(spec, images[chosen], places[chosen], steps=steps, **keep)
        for name, (row,) in shorter.arrays().items():
            found = left[name][image]
            if name.startswith(("outputs", "spikes", "negative", "synops", "pool_operations")):
                assert not found[steps:].any(), name
                found = found[:steps]
            np.testing.assert_array_equal(found, row, err_msg=name)


@pytest.mark.parametrize("output", OUTPUTS)
def test_its_answer_stays_that_of_the_step_at_which_it_left(output: str) -> None:
    module, shape = zoo.build("plain_conv")
    images = np.asarray(zoo.images(shape, 12))
    spec, labels = convert(module, images, output=output), np.arange(12) % 3
    whole = simulate(spec, images, labels, steps=STEPS, seed=1)
    answer, step = whole.exits[1.0]
    assert (step < STEPS).sum() > 0
    left = simulate(spec, images, labels, steps=STEPS, seed=1, exit_margin=1, block=5)
    assert left.taken is not None
    assert left.taken.tolist() == step.tolist()
    assert left.metrics()["mean_steps"] == step.mean()
    assert left.predictions["potential"].tolist() == answer.tolist()
    assert set(left.exits) == {0.5, 1.0}
    for margin, (answers, steps) in left.exits.items():
        assert answers.tolist() == whole.exits[margin][0].tolist()
        assert steps.tolist() == whole.exits[margin][1].tolist()
    for image, steps in enumerate(step.tolist()):
        alone = simulate(spec, images[: image + 1], labels[: image + 1], steps=steps, seed=1)
        for name in OUTPUTS:
            assert left.predictions[name][image] == alone.predictions[name][-1], name


def test_a_margin_that_no_image_reaches_changes_nothing() -> None:
    spec, images = network()
    labels = np.zeros(12, np.int64)
    whole = simulate(spec, images, labels, steps=STEPS)
    left = simulate(spec, images, labels, steps=STEPS, exit_margin=1e9)
    assert whole.taken is None
    assert "mean_steps" not in whole.metrics()
    assert left.metrics() == {**whole.metrics(), "mean_steps": STEPS}
    assert left.curves() == whole.curves()


@pytest.mark.parametrize(
    ("toggles", "message"),
    [
        ({"compare": True}, "exit_margin must be 0 where compare is true, .* got 1"),
        ({"engine": "dense"}, "engine must be auto or event where exit_margin is not 0, got 'den"),
        ({"device": "cuda"}, "exit_margin must be 0 on device cuda, .* got 1"),
        ({"exit_margin": -1.0}, "exit_margin must be at least 0, got -1"),
    ],
)
def test_early_exit_is_refused_where_nothing_can_leave(
    toggles: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingError, match=message):
        SimulationSettings(**{"exit_margin": 1.0, **toggles})
