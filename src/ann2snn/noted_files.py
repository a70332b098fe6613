"""Which files a folder has, by size, time and sha256, and which are no longer as they were noted.

The note of a result, `files.json`, lies beside its record, so that the record's bytes stay the same
on every machine. A file is hashed each time a process first reads it; one above SMALL only where
its size or time differs from the note.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ann2snn.numerics.atomic_files import whole_file

NOTE = "files.json"
SMALL = 8 * 2**20
FIELDS = {"size": int, "changed": int, "sha256": str}

Seen = tuple[tuple[str, int, int], ...]


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ValueError: the file holds no such object; the message names it.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def known(path: Path) -> dict[str, Any]:
    """The JSON object in a file; nothing if it is not there, or not as it was written."""
    try:
        return read_json(path)
    except (OSError, ValueError):
        return {}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON with sorted keys, a line for each entry, at once or not at all."""
    lines = [
        f" {json.dumps(name)}: {json.dumps(content[name], sort_keys=True, allow_nan=False)}"
        for name in sorted(content)
    ]
    with whole_file(path) as file:
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def note_files(folder: Path, owner: str) -> None:
    """Notes all files of a folder, and whose they are: a step and a key."""
    files = {
        name: {"size": size, "changed": changed, "sha256": file_sha256(folder / name)}
        for name, size, changed in _seen(folder)
        if name != NOTE
    }
    write_json(folder / NOTE, {"owner": owner, "files": files})


def wrong_files(folder: Path, owner: str, wholly: bool = False) -> tuple[str, ...]:
    """What is wrong with the files of a folder, in words; empty if all are as noted. `wholly`
    hashes large files too, whatever their times."""
    try:
        return _wrong_files(folder, owner, _seen(folder), wholly)
    except OSError as error:
        return (f"it cannot be read: {error}",)


def is_noted(folder: Path) -> bool:
    return (folder / NOTE).is_file()


def _seen(folder: Path) -> Seen:
    """Names, sizes and times of all files."""
    states = [(path.name, path.stat()) for path in folder.iterdir()]
    return tuple(sorted((name, state.st_size, state.st_mtime_ns) for name, state in states))


@cache
def _wrong_files(folder: Path, owner: str, seen: Seen, wholly: bool) -> tuple[str, ...]:
    """Looked at again only when a name, a size or a time is another."""
    try:
        note = read_json(folder / NOTE)
    except ValueError as error:
        return (str(error),)
    files = note.get("files")
    if not isinstance(files, dict) or not all(map(_is_entry, files.values())):
        return (f"{NOTE} is no note of files",)
    if note.get("owner") != owner:
        return (f"its files are noted as those of {note.get('owner')}",)
    there = {name: (size, changed) for name, size, changed in seen if name != NOTE}
    wrong = [f"{name} is missing" for name in files if name not in there]
    moved: dict[str, Any] = {}
    for name, (size, changed) in there.items():
        entry = files.get(name)
        if entry is None:
            wrong.append(f"{name} is not of it")
        elif size != entry["size"]:
            wrong.append(f"{name} has {size} bytes and not {entry['size']}")
        elif wholly or size <= SMALL or changed != entry["changed"]:
            if file_sha256(folder / name) != entry["sha256"]:
                wrong.append(f"{name} has other bytes than were written")
            elif changed != entry["changed"]:
                moved[name] = {**entry, "changed": changed}
    if moved and not wrong:  # a copy of the folder: the times of what was hashed are known now
        with contextlib.suppress(OSError):
            write_json(folder / NOTE, {"owner": owner, "files": files | moved})
    return tuple(wrong)


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(entry.get(name), kind) for name, kind in FIELDS.items()
    )
