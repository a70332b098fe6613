"""Files that appear at once and whole, or not at all, and some that know whether they still are."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Within, a temporary path beside `path` to write to; it takes the name `path` at the end, and
    goes if the writing fails. `durable` has the content on the disk itself before it bears its
    name, so that a power cut leaves no half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_sealed(path: Path, content: bytes) -> None:
    """Writes what a run that was cut off goes on from, at once or not at all, and to the disk
    itself before it bears its name. A seal at its end says of which content it is, and of which
    file: its name and its folder's."""
    with whole_file(path, durable=True) as temporary:
        temporary.write_bytes(content + _seal(path, content))


def sealed_content(path: Path) -> bytes | None:
    """The content of a file that `write_sealed` wrote; None where there is none. One that is no
    longer as it was written is told, and removed: work goes on without it."""
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return None
    content, seal = whole[:-SEAL], whole[-SEAL:]
    if seal == _seal(path, content):
        return content
    print(
        f"{path} is damaged or another run's; it is removed, and what it kept is computed again",
        file=sys.stderr,
        flush=True,
    )
    path.unlink(missing_ok=True)
    return None


SEAL = hashlib.sha256().digest_size


def _seal(path: Path, content: bytes) -> bytes:
    digest = hashlib.sha256(f"{path.parent.name}/{path.name}\n".encode())
    digest.update(content)
    return digest.digest()
