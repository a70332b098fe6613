from pathlib import Path

import pytest

from ann2snn.tracking.live import live_training
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import sync
from tests.tracking.project_with_results import ann_record, key_of, runs_of

RECORD = ann_record()


def train(project: Path, epochs: range) -> None:
    with live_training(project, RECORD.key, RECORD.description, RECORD.settings) as on_epoch:
        for epoch in epochs:
            on_epoch(epoch, {"train_loss": RECORD.curves["train_loss"][epoch - 1]})


def losses(project: Path) -> dict[int, float]:
    run = runs_of(project)[key_of("ann")]
    history = connect(place_of(project)).get_metric_history(run.info.run_id, "train_loss")
    assert len(history) == len({point.step for point in history})
    return {point.step: point.value for point in history}


def test_a_killed_training_is_taken_up_again_and_completed_by_its_record(project: Path) -> None:
    train(project, range(1, 4))
    assert losses(project) == {1: 1.0, 2: 0.5, 3: 1 / 3}
    assert runs_of(project)[key_of("ann")].info.status == "RUNNING"
    train(project, range(3, 5))
    assert sorted(losses(project)) == [1, 2, 3, 4]
    sync(project)
    run = runs_of(project)[key_of("ann")]
    assert losses(project) == {1: 1.0, 2: 0.5, 3: 1 / 3, 4: 0.25, 5: 0.2}
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test_accuracy"] == 98.0
    assert run.data.params["network"] == "digits_cnn"


def test_a_training_goes_on_without_mlflow(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    train(project, range(1, 4))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("no live curves in MLflow: MLflow at http://127.0.0.1:9 does not")


@pytest.mark.parametrize(
    ("error", "reason"), [(RuntimeError(), "RuntimeError"), (OSError("\n\nfull\nlong"), "full")]
)
def test_a_training_goes_on_whatever_mlflow_raises(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    error: Exception, reason: str,
) -> None:  # fmt: skip
    def refuse(place: object) -> None:
        raise error

    monkeypatch.setattr("ann2snn.tracking.live.connect", refuse)
    train(project, range(1, 4))
    assert capsys.readouterr().err == (
        f"no live curves in MLflow: {reason}; the training's record brings them later\n"
    )
