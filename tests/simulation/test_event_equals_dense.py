import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ann2snn.simulation import event
from tests.simulation.event_networks import KINDS, assert_same, both, random_images, random_network


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["analog", "poisson"]),
    st.lists(st.sampled_from(KINDS), min_size=2, max_size=9),
    st.booleans(),
)
def test_random_networks_give_the_same_spikes_and_outputs_at_every_step(
    seed: int, coding: str, kinds: list[str], flat: bool
) -> None:
    spec = random_network(seed, coding, kinds, flat=flat)
    assert_same(*both(spec, random_images(spec, 2, seed), steps=9))
