"""`artifacts/files.json`: the sha256 of every file that was published there, for git to keep.

A record in git says what its result's files hash to; this note says it of the record, whose damaged
digit no one could tell from a result. DVC does not know the note, as it changes while stages run.
"""

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ann2snn.noted_files import file_sha256, read_json, write_json
from ann2snn.records import Store

NOTE = Path("artifacts") / "files.json"


def noted(project: Path) -> dict[str, str]:
    """What `note` wrote, by place under `artifacts`.

    Raises:
        ValueError: the file is damaged; the message names it.
    """
    path = project / NOTE
    if not path.is_file():
        return {}
    state = path.stat()
    return _read(path, state.st_size, state.st_mtime_ns)


@cache
def _read(path: Path, size: int, changed: int) -> dict[str, str]:  # noqa: ARG001
    found: dict[str, Any] = read_json(path)
    if not all(isinstance(digest, str) for digest in found.values()):
        raise ValueError(f"{path} must name a sha256 for each file: take it from git again")
    return found


def note(project: Path, written: Iterable[Path], removed: Iterable[Path] = ()) -> None:
    """Notes files that have just been written under `artifacts`, and forgets removed ones."""
    root = project / "artifacts"
    new = {path.relative_to(root).as_posix(): file_sha256(path) for path in written}
    gone = {path.relative_to(root).as_posix() for path in removed}
    with Store(project / "store").lock("artifacts", "files"):
        before = noted(project)
        after = {name: digest for name, digest in before.items() if name not in gone} | new
        if after != before:
            write_json(project / NOTE, after)


def is_as_noted(project: Path, path: Path) -> bool:
    """Whether a file under `artifacts` is as it was published, as far as that was noted; one that
    is not is told, once."""
    digest = noted(project).get(path.relative_to(project / "artifacts").as_posix())
    if digest is None:
        return True
    state = path.stat()
    return _is(path, digest, state.st_size, state.st_mtime_ns)


@cache
def _is(path: Path, digest: str, size: int, changed: int) -> bool:  # noqa: ARG001
    same = file_sha256(path) == digest
    if not same:
        tell_damaged(path, "it is not as it was published")
    return same


@cache
def tell_damaged(path: Path, reason: str) -> None:
    """Prints one line about a file of `artifacts` that is not taken."""
    print(
        f"{path} is left out: {reason}; take it from git again (git checkout {path})",
        file=sys.stderr,
        flush=True,
    )


def different_files(project: Path) -> Iterator[tuple[str, str]]:
    """The noted files that are missing or other than they were published, and what is wrong.

    Raises:
        ValueError: the note is damaged; the message names it.
    """
    for name, digest in sorted(noted(project).items()):
        path = project / "artifacts" / name
        if not path.is_file():
            yield name, "it is missing"
        elif file_sha256(path) != digest:
            yield name, "it is not as it was published"
