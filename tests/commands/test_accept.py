"""`make accept`: which files of two sets of results say the same."""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from ann2snn.commands import accept
from ann2snn.commands.accept import changed_results, different_results
from ann2snn.records import Record
from ann2snn.settings import SettingError

POINT = Path("simulation", "study", "point.json")
WEIGHTS = Path("ann", "digits", "weights.safetensors")
RECORD = Record("simulation", "a" * 64, {}, {}, {}, {"snn_accuracy": 91.5}, {}, {"code": {"x": 1}})


def results(folder: Path, **parts: object) -> Path:
    """The record of a point, which `parts` change, and a file that is no record."""
    dataclasses.replace(RECORD, **parts).write(folder / POINT)  # type: ignore[arg-type]
    (folder / WEIGHTS).parent.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"\xff weights")
    return folder


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    return results(tmp_path / "made"), results(tmp_path / "committed")


def test_keys_and_code_make_no_difference_but_metrics_do(tmp_path: Path) -> None:
    committed = results(tmp_path / "committed")
    renamed = results(tmp_path / "renamed", key="b" * 64, details={"code": {"x": 2}})
    assert different_results(renamed, committed) == []
    better = results(tmp_path / "better", metrics={"snn_accuracy": 91.6})
    assert different_results(better, committed) == [POINT.as_posix()]


def test_a_file_that_is_no_record_is_compared_by_its_bytes(sides: tuple[Path, Path]) -> None:
    made, committed = sides
    assert different_results(made, committed) == []
    (made / WEIGHTS).write_bytes(b"\xff weight")
    assert different_results(made, committed) == [WEIGHTS.as_posix()]


def test_a_result_that_stands_on_one_side_only_is_a_difference(sides: tuple[Path, Path]) -> None:
    made, committed = sides
    (made / POINT).with_name("new.json").write_text("{}")
    (committed / POINT).with_name("old.json").write_text("{}")
    converted = committed / "conversion" / "study" / "point.json"  # a step that made nothing
    RECORD.write(converted)
    assert different_results(made, committed) == [
        "conversion/study/point.json", "simulation/study/new.json", "simulation/study/old.json",
    ]  # fmt: skip


def test_a_study_that_only_one_side_has_is_not_compared(sides: tuple[Path, Path]) -> None:
    for side, study in zip(sides, ("uncommitted", "of-another-network"), strict=True):
        RECORD.write(side / "simulation" / study / "point.json")
        (side / POINT).with_name("study.json").write_text(study)
    assert different_results(*sides) == []


@pytest.mark.parametrize("accepted", [True, False])
def test_where_committed_results_do_not_come_out_the_committed_code_is_asked(
    accepted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another processor both give other weights, the code as it is another accuracy too."""
    project = tmp_path / "project"
    results(project / "artifacts")
    new = results(tmp_path / "new", metrics={"snn_accuracy": 90.0})
    old = results(tmp_path / "old")
    for side in (new, old):
        (side / WEIGHTS).write_bytes(b"\xff of this processor")
    ended = subprocess.CompletedProcess[str]([], 0 if accepted else 1)
    monkeypatch.setattr(accept, "digits_by", lambda code, _: new if code == project else old)
    monkeypatch.setattr(accept, "clone_project", lambda *_: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    if accepted:
        assert changed_results(project, tmp_path) == [POINT.as_posix()]
    else:
        with pytest.raises(SettingError, match="the committed code does not stand for"):
            changed_results(project, tmp_path)
