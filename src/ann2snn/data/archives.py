"""The files of a directory or an archive one by one; nothing is ever written to disk."""

import contextlib
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

LARGEST_TOTAL = 32 * 2**30
"""Bytes that an archive may unpack to."""

ENDINGS = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".zip")
DEEPEST = 5
"""Levels of a directory that are looked into; a link to itself has no end."""

LARGEST_FILE = 256 * 2**20
"""Bytes of one file, which is read whole; the largest of a known data set has 156 MB."""

CHUNK = 2**20

Entry = tuple[str, int, Callable[[], bytes] | None]
"""Name, bytes and reader of a file in an archive; folders have no reader."""


@dataclass(frozen=True)
class Member:
    """A file, or a folder if it has no content; `content` reads it while it is the newest one."""

    parts: tuple[str, ...]
    content: Callable[[], bytes] | None

    @property
    def name(self) -> str:
        return "/".join(self.parts)


def members(path: Path) -> Iterator[Member]:
    """All files and folders of a directory, a .zip or a .tar archive (plain, .gz, .bz2, .xz).

    Raises:
        ValueError: the archive is damaged, holds a link, a device, a path that leaves it or a
            file twice, or unpacks to more than LARGEST_TOTAL, or a file to more than LARGEST_FILE.
    """
    if path.is_dir():
        yield from _of_directory(path, ())
        return
    if not path.is_file():
        raise ValueError(f"{path} is a pipe or a device; only folders and archives are read")
    seen, total = set(), 0
    with _reading(path.name):
        with path.open("rb") as file:
            entries = _of_zip if file.read(2) == b"PK" else _of_tar
        for name, size, read in entries(path):
            total += size
            _check_total(path.name, total)
            _check_file(f"{path.name}: {name!r}", size)
            place = PurePosixPath(name)
            if place.is_absolute() or ".." in place.parts:
                raise ValueError(f"{path.name}: {name!r} leaves the archive's own folder")
            if read is not None and place.parts in seen:
                raise ValueError(f"{path.name} holds {place.as_posix()!r} twice")
            seen.add(place.parts)
            yield Member(place.parts, None if read is None else partial(_content, path.name, read))


def _of_directory(folder: Path, above: tuple[str, ...]) -> Iterator[Member]:
    for path in sorted(folder.iterdir()):
        parts = (*above, path.name)
        if path.is_dir():
            yield Member(parts, None)
            if len(parts) < DEEPEST:
                yield from _of_directory(path, parts)
        else:
            yield Member(parts, partial(_of_file, path))


def _of_file(path: Path) -> bytes:
    """The content of a file; a pipe would keep its reader waiting for ever."""
    if not path.is_file():
        raise ValueError(f"{path} is a pipe, a device or a link to nothing; only files are read")
    _check_file(str(path), path.stat().st_size)
    return path.read_bytes()


def _of_tar(path: Path) -> Iterator[Entry]:
    with tarfile.open(path) as archive:
        for entry in archive:
            if not entry.isdir() and not entry.isfile():
                raise ValueError(_no_file(path.name, entry.name))
            file = archive.extractfile(entry)
            yield entry.name, entry.size, None if file is None else file.read
        # tarfile takes a damaged header for the end, and does not look at the checksum after it:
        # a block of zeros must follow, and what is after that must be readable.
        stream = archive.fileobj
        assert stream is not None, "it is open"
        stream.seek(archive.offset)
        if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it is damaged or cut off")
        rest = 0
        while chunk := stream.read(CHUNK):
            rest += len(chunk)
            _check_total(path.name, rest)


def _of_zip(path: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ValueError(_no_file(path.name, entry.filename))
            if entry.flag_bits & 1:
                raise ValueError(f"{path.name}: {entry.filename!r} is encrypted; unpack it first")
            read = None if entry.is_dir() else partial(archive.read, entry)
            yield entry.filename, entry.file_size, read


def _content(archive: str, read: Callable[[], bytes]) -> bytes:
    with _reading(archive):
        return read()


def _no_file(archive: str, name: str) -> str:
    return f"{archive}: {name!r} is a link or a device; only files and folders are taken"


def _check_total(archive: str, total: int) -> None:
    if total > LARGEST_TOTAL:
        raise ValueError(f"{archive} unpacks to more than {LARGEST_TOTAL / 2**30:g} GiB")


def _check_file(name: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise ValueError(
            f"{name} has {size / 2**20:.0f} MiB; one file may have at most"
            f" {LARGEST_FILE / 2**20:g} MiB"
        )


@contextlib.contextmanager
def _reading(archive: str) -> Iterator[None]:
    """Gives the errors of all archive modules one message."""
    try:
        yield
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        reason = str(error).partition("\n")[0].rstrip(":")
        raise ValueError(
            f"{archive} cannot be read as an archive ({', '.join(ENDINGS)}): {reason}; pack it"
            " or copy it again"
        ) from error
