"""What the architecture is worth, in words that follow from the numbers."""

import dataclasses

import pytest

from ann2snn.report.architecture_reasons import reasons
from ann2snn.report.results import Results, Study, read_results
from tests.report.changed_results import changed, study_of
from tests.report.example_artifacts import example_artifacts

MEANS = {"full": 88.0, "spiking-average": 88.0, "no-bias": 80.0, "average": 80.5, "relu": 79.0}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return read_results(example_artifacts(tmp_path_factory.mktemp("architecture")))


def spread(study: Study, apart: float, **metrics: float) -> Study:
    """The study with ANNs around `MEANS`, `apart` from seed to seed."""
    points = []
    for point in study.points:
        variant, _, seed = point.name.rpartition("-")
        ann = MEANS[variant] + apart * (int(seed) - 1)
        points.append(changed(point, ann_accuracy=ann, **metrics))
    return dataclasses.replace(study, points=tuple(points))


def test_every_step_of_the_ann_is_named_beside_the_papers(results: Results) -> None:
    study = spread(study_of(results, "architecture"), 0.1)
    first, *_ = reasons(results, study)
    assert first == (
        "The ANN from network to network, in means of 3 trainings: biases held at zero -8.00 (the"
        " paper's -0.13); average-pooling +0.50 (the paper's -0.04); ReLU outputs -1.50 (the"
        " paper's -18.25). Of the paper's some are from memory, unverified, as the table marks"
        " them."
    )


def test_steps_within_the_spread_of_seeds_are_called_so(results: Results) -> None:
    study = spread(study_of(results, "architecture"), 0.3)
    first, *_ = reasons(results, study)
    assert "Within the spread of seeds: average-pooling." in first


def test_the_normalization_is_weighed_where_a_study_did(results: Results) -> None:
    architecture = spread(study_of(results, "architecture"), 0.1)
    study = study_of(results, "batch-norm")
    with_it, without = study.points
    points = (changed(with_it, ann_accuracy=86.0), changed(without, ann_accuracy=79.0))
    weighed = dataclasses.replace(
        results, studies=(architecture, dataclasses.replace(study, points=points))
    )
    _, words, *_ = reasons(weighed, architecture)
    assert "have 86.00 with batch normalization and 79.00 without" in words
    assert "worth 7.00 points, here the biases held at zero cost 8.00." in words
    alone = dataclasses.replace(results, studies=(architecture,))
    assert not any("batch normalization" in text for text in reasons(alone, architecture))


@pytest.mark.parametrize(
    ("counts", "softmax", "told"), [(78.9, 74.0, True), (74.1, 74.0, False), (78.9, 78.8, False)]
)
def test_a_loss_is_the_read_outs_only_where_another_has_none(
    counts: float, softmax: float, told: bool, results: Results
) -> None:
    study = spread(
        study_of(results, "architecture"), 0.1, accuracy_count=counts, snn_accuracy=softmax
    )
    texts = [text for text in reasons(results, study) if "the read-out's" in text]
    assert bool(texts) == told
    if told:
        assert "have 78.90 (loss 0.10), by the spiking softmax 74.00" in texts[0]


def test_a_study_of_one_network_has_no_steps(results: Results) -> None:
    study = study_of(results, "architecture")
    alone = dataclasses.replace(study, points=study.points[:3])
    assert list(reasons(results, alone)) == []
