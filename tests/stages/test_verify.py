"""What `make verify` says of results that differ."""

import dataclasses
import json
from pathlib import Path

import pytest

from ann2snn.records import Record, write_json
from ann2snn.stages.provenance import MACHINE, note_machine, noted_machines, provenance
from ann2snn.stages.verify import compared, print_machines


def record(**metrics: float) -> Record:
    return Record("simulation", "k" * 64, {}, {}, {}, dict(metrics), {}, {})


def test_equal_files_and_folders_do_not_differ(tmp_path: Path) -> None:
    for name in ("made", "kept"):
        record(snn_accuracy=90.0).write(tmp_path / name / "point.json")
    assert compared(tmp_path / "made", tmp_path / "kept", "artifacts/simulation/s") == []


def test_a_difference_names_the_file_and_both_values(tmp_path: Path) -> None:
    record(snn_accuracy=90.0).write(tmp_path / "made" / "point.json")
    record(snn_accuracy=91.5).write(tmp_path / "kept" / "point.json")
    (line,) = compared(tmp_path / "made", tmp_path / "kept", "s")
    assert line == "s/point.json; snn_accuracy 90.0, committed 91.5"


def test_another_key_is_told(tmp_path: Path) -> None:
    made, kept = record(), dataclasses.replace(record(), key="other" * 12)
    made.write(tmp_path / "made.json")
    kept.write(tmp_path / "kept.json")
    (line,) = compared(tmp_path / "made.json", tmp_path / "kept.json", "s")
    assert line == "s; key kkkkkkkkkkkk, committed otherotherot"


def test_a_file_on_one_side_alone_is_told(tmp_path: Path) -> None:
    record().write(tmp_path / "made" / "new.json")
    record().write(tmp_path / "kept" / "old.json")
    assert compared(tmp_path / "made", tmp_path / "kept", "s") == [
        "s/new.json: not committed", "s/old.json: not made",
    ]  # fmt: skip


def test_a_result_computed_here_is_noted_with_its_machine_and_no_time(tmp_path: Path) -> None:
    write_json(tmp_path / "result" / "provenance.json", provenance(12.5))
    note_machine(tmp_path, "simulation/s", [tmp_path / "empty", tmp_path / "result"])
    found = noted_machines(tmp_path)
    assert set(found["simulation/s"]) == set(MACHINE)
    text = (tmp_path / "artifacts" / "machines.json").read_text(encoding="utf-8")
    assert "seconds" not in text
    assert "git" not in text


def test_a_result_from_git_stays_noted_as_it_was(tmp_path: Path) -> None:
    write_json(tmp_path / "artifacts" / "machines.json", {"simulation/s": {"processor": "other"}})
    (tmp_path / "result").mkdir()
    note_machine(tmp_path, "simulation/s", [tmp_path / "result"])
    assert noted_machines(tmp_path) == {"simulation/s": {"processor": "other"}}


def test_after_a_difference_both_machines_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"simulation/s": {"processor": "theirs"}, "simulation/t": {"processor": "unasked"}}
    write_json(tmp_path / "artifacts" / "machines.json", facts)
    print_machines(tmp_path, ["artifacts/simulation/s/point.json; snn_accuracy 1, committed 2"])
    lines = capsys.readouterr().out.splitlines()
    own = json.loads(lines[0].removeprefix("this machine: "))
    assert own["processor"] == provenance(0)["processor"]
    assert "theirs" in lines[1]
    assert len(lines) == 2
