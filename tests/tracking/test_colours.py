import math
import time
from itertools import combinations

import pytest

from ann2snn.tracking.colours import _lab, colours_of

STUDIES = [[f"{study} {point}" for point in range(7)] for study in "abc"]
SHARED = [*STUDIES, ["a 1", "b 2", "c 3", "a 4", "d"]]


def distance(one: str, other: str) -> float:
    return math.dist(_lab(one), _lab(other))


def test_runs_that_stand_together_are_told_apart_also_where_studies_share_points() -> None:
    colours = colours_of(SHARED)
    for company in SHARED:
        for one, other in combinations(company, 2):
            assert distance(colours[one], colours[other]) > 0.16


def test_fifteen_points_of_one_study_have_fifteen_colours() -> None:
    study = [f"point {number}" for number in range(15)]
    colours = colours_of([study])
    assert min(distance(*pair) for pair in combinations(colours.values(), 2)) > 0.08


def test_a_run_keeps_its_colour_when_runs_of_other_studies_come() -> None:
    before = colours_of(STUDIES[:1])
    assert {key: colours_of(SHARED[:3])[key] for key in before} == before


@pytest.mark.timed
def test_a_thousand_points_of_a_sweep_are_coloured_in_seconds() -> None:
    started = time.perf_counter()
    colours = colours_of([[str(number) for number in range(1000)]])
    assert time.perf_counter() - started < 3
    assert len(set(colours.values())) == 1000


def test_black_and_white_are_one_apart() -> None:
    assert abs(distance("#000000", "#ffffff") - 1) < 1e-3
