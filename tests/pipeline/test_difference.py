"""What is said of files that should be equal and are not."""

import dataclasses
from pathlib import Path

import pytest

from ann2snn.commands.difference import compared
from tests.pipeline.project import record


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


@pytest.mark.parametrize(
    ("made", "kept", "told"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.5, 4.0], "curve accuracy at 2: 2.0, committed 2.5"),
        ([1.0], [1.0, 2.0], "curve accuracy at 2: None, committed 2.0"),
    ],
)
def test_a_curve_is_told_from_the_first_step_that_differs(
    made: list[float], kept: list[float], told: str, tmp_path: Path
) -> None:
    for name, curve in (("made", made), ("kept", kept)):
        dataclasses.replace(record(), curves={"accuracy": curve}).write(tmp_path / name)
    assert compared(tmp_path / "made", tmp_path / "kept", "s") == [f"s; {told}"]


@pytest.mark.parametrize(
    ("made", "kept", "told"),
    [
        (b"a\nb 1\n", b"a\nb 2\n", "line 2: 'b 1', committed 'b 2'"),
        (b"a\n", b"a\nmore\n", "line 2: '', committed 'more'"),
        (b"a\n", b"a\n\n", "line 2: '', committed ''"),
        (b"x" * 500 + b"1", b"x" * 500 + b"2", f"line 1: '{'x' * 30}1', committed '{'x' * 30}2'"),
        (b"\xff\x00\x01", b"\xff\x00\x02\x03", "byte 2 of 3, committed 4"),
    ],
)
def test_of_other_files_the_first_place_that_differs_is_told(
    made: bytes, kept: bytes, told: str, tmp_path: Path
) -> None:
    (tmp_path / "made").write_bytes(made)
    (tmp_path / "kept").write_bytes(kept)
    assert compared(tmp_path / "made", tmp_path / "kept", "report/x") == [f"report/x; {told}"]


def test_texts_that_differ_in_their_last_line_break_alone_are_told(tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"a\n")
    (tmp_path / "kept").write_bytes(b"a")
    (line,) = compared(tmp_path / "made", tmp_path / "kept", "s")
    assert line == "s; byte 1 of 2, committed 1"
