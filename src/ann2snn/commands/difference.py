"""In what files differ from those that they should equal, byte for byte."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ann2snn.records import Record

AROUND = 30  # characters of a line shown before and behind the first that differs


def compared(made: Path, expected: Path, name: str) -> list[str]:
    """Names of the files in which two files or folders differ, each with what differs."""
    if made.is_dir() and expected.is_dir():
        names = sorted({p.name for folder in (made, expected) for p in folder.iterdir()})
        return [line for n in names for line in compared(made / n, expected / n, f"{name}/{n}")]
    if not made.is_file() or not expected.is_file():
        return [f"{name}: {'not made' if expected.exists() else 'not committed'}"]
    if made.read_bytes() == expected.read_bytes():
        return []
    return [f"{name}; {'; '.join(_changes(made, expected))}"]


def _changes(made: Path, expected: Path) -> list[str]:
    """What differs in two records, else where two texts or other files do first."""
    try:
        changes = list(_changes_of_record(Record.read(made), Record.read(expected)))
    except ValueError:
        changes = []
    if changes:
        return changes
    new, old = made.read_bytes(), expected.read_bytes()
    try:
        lines = new.decode().splitlines(), old.decode().splitlines()
    except UnicodeDecodeError:
        lines = [], []
    if lines[0] != lines[1]:
        return [_first_line(*lines)]
    return [f"byte {_first(new, old)} of {len(new)}, committed {len(old)}"]


def _changes_of_record(new: Record, old: Record) -> Iterator[str]:
    """Key, metrics, and the curves from the first step that differs."""
    if new.key != old.key:
        yield f"key {new.key[:12]}, committed {old.key[:12]}"
    for metric in sorted(set(new.metrics) | set(old.metrics)):
        values = new.metrics.get(metric), old.metrics.get(metric)
        if values[0] != values[1]:
            yield f"{metric} {values[0]}, committed {values[1]}"
    for name in sorted(set(new.curves) | set(old.curves)):
        curve, other = new.curves.get(name, []), old.curves.get(name, [])
        if curve != other:
            place = _first(curve, other)
            yield (
                f"curve {name} at {place + 1}: {_at(curve, place)}, committed {_at(other, place)}"
            )


def _first_line(new: Sequence[str], old: Sequence[str]) -> str:
    place = _first(new, old)
    lines = _at(new, place) or "", _at(old, place) or ""
    start = max(_first(*lines) - AROUND, 0)
    shown = [line[start : start + 2 * AROUND] for line in lines]
    return f"line {place + 1}: {shown[0]!r}, committed {shown[1]!r}"


def _at(values: Sequence[Any], place: int) -> Any:
    """What stands there; None behind the end."""
    return values[place] if place < len(values) else None


def _first(new: Sequence[object], old: Sequence[object]) -> int:
    """The first place in which two sequences differ: the end of the shorter, if it begins the
    longer."""
    pairs = enumerate(zip(new, old, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(new), len(old)))
