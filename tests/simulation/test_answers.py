"""Answers by early exit, by hand."""

import numpy as np
import pytest

from ann2snn.simulation.answers import early_exit, leads

STEPS = np.array([
    [[0.0, 0.5, 0.25], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0]],  # class 1 leads by 1.25 in step 2
    [[0.5, 0.0, 0.0], [0.0, 0.75, 0.0], [0.0, 0.0, 1.0]],  # no class ever leads by 1
    [[0.0, 0.0, 1.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]],  # class 2 leads by just 1 in step 1
    [[2.0, 2.0, 0.0], [2.0, 0.0, 2.0], [0.0, 2.0, 0.0]],  # equals do not lead
])  # fmt: skip


def test_the_lead_is_what_the_best_class_has_over_the_second() -> None:
    found = leads(STEPS.cumsum(1))
    assert found.tolist() == [[0.25, 1.25, 1.5], [0.5, 0.25, 0.25], [1.0, 1.0, 1.0], [0, 2.0, 0]]


@pytest.mark.parametrize(
    ("margin", "answers", "steps"),
    [
        (1.0, [1, 2, 2, 0], [2, 3, 1, 2]),
        (1.5, [0, 2, 0, 0], [3, 3, 3, 2]),
        (0.0, [1, 0, 2, 0], [1, 1, 1, 1]),
    ],
)
def test_an_image_leaves_at_the_first_step_whose_lead_reaches_the_margin(
    margin: float, answers: list[int], steps: list[int]
) -> None:
    potential = STEPS.cumsum(1)
    answer, step = early_exit(potential, leads(potential), margin)
    assert answer.tolist() == answers
    assert step.tolist() == steps
