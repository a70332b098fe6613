"""`for_steps` alone: what the studies choose on validation images."""

import json
from pathlib import Path

import pytest
import torch

from ann2snn import convert, simulate
from ann2snn.conversion.few_steps import completed
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.report.results import chosen_point, read_results
from ann2snn.settings import SettingError
from tests import zoo

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "conversion"


def toggles_for(steps: int) -> ConversionSettings:
    return ConversionSettings(**completed(vars(ConversionSettings()) | {"for_steps": steps}))


@pytest.mark.parametrize("steps", [4, 6, 8, 16, 32])
def test_for_steps_alone_takes_what_the_study_for_so_many_steps_chose(steps: int) -> None:
    path = ARTIFACTS / "cifar10-few-steps" / f"burst-{steps}.json"
    published = json.loads(path.read_text(encoding="utf-8"))["settings"]["conversion"]
    chosen = vars(toggles_for(steps))
    assert {name: chosen[name] for name in published} == published


def test_5_steps_take_the_point_whose_answers_are_most_often_those_of_the_network() -> None:
    studies = read_results(ARTIFACTS.parent).studies
    (study,) = [each for each in studies if each.name == "cifar10-burst-selection-5"]
    assert len(study.points) == 5
    published = chosen_point(study).toggles
    chosen = vars(toggles_for(5))
    assert {name: chosen[name] for name in published} == published


def test_no_other_toggle_is_changed_where_one_is_given() -> None:
    given = vars(ConversionSettings()) | {"normalization": "squared_error"}
    assert completed(given | {"for_steps": 8}) == given | {"for_steps": 8}
    assert completed(given) == given


def test_a_network_converted_for_few_steps_is_nearer_to_its_ann_than_by_default() -> None:
    module, shape = zoo.build("plain_conv")
    images = zoo.images(shape, 60)
    with torch.no_grad():
        answers = module(torch.from_numpy(images).double() / 255).argmax(1)
    right = [
        simulate(spec, images, answers, steps=6).accuracy()[-1]
        for spec in (convert(module, images), convert(module, images, for_steps=6))
    ]
    assert right[1] > right[0]


def test_a_number_of_steps_that_is_none_is_refused() -> None:
    module, shape = zoo.build("three_linear")
    for steps in (-1, 2.5, "8"):
        with pytest.raises(SettingError, match="for_steps"):
            convert(module, zoo.images(shape, 5), for_steps=steps)  # type: ignore[arg-type]
