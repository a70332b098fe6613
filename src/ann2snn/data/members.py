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

CHUNK = 2**20


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
            file twice, or unpacks to more than LARGEST_TOTAL.
    """
    if path.is_dir():
        yield from _of_directory(path, ())
        return
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    seen = set()
    for member in _of_zip(path) if zipped else _of_tar(path):
        if member.content is not None and member.parts in seen:
            raise ValueError(f"{path.name} holds {member.name!r} twice")
        seen.add(member.parts)
        yield member


def _of_directory(folder: Path, above: tuple[str, ...]) -> Iterator[Member]:
    for path in sorted(folder.iterdir()):
        parts = (*above, path.name)
        if path.is_dir():
            yield Member(parts, None)
            if len(parts) < DEEPEST:
                yield from _of_directory(path, parts)
        else:
            yield Member(parts, path.read_bytes)


def _of_tar(path: Path) -> Iterator[Member]:
    with _reading(path.name), tarfile.open(path) as archive:
        total = 0
        for entry in archive:
            total += entry.size
            _check_total(path.name, total)
            parts = _parts(path.name, entry.name)
            if not entry.isdir() and not entry.isfile():
                raise ValueError(_no_file(path.name, entry.name))
            content = None if entry.isdir() else partial(_tar_content, path.name, archive, entry)
            yield Member(parts, content)
        _check_end(path.name, archive, total)


def _tar_content(name: str, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    with _reading(name):
        file = archive.extractfile(entry)
        assert file is not None, "isfile() said so"
        return file.read()


def _check_end(name: str, archive: tarfile.TarFile, total: int) -> None:
    """Holds the archive to its end mark, a block of zeros, and to what follows.

    tarfile takes a damaged header for the end, and does not look at the checksum after it.
    """
    file = archive.fileobj
    assert file is not None, "it is open"
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("it is damaged or cut off")
    while rest := file.read(CHUNK):
        total += len(rest)
        _check_total(name, total)


def _of_zip(path: Path) -> Iterator[Member]:
    with _reading(path.name), zipfile.ZipFile(path) as archive:
        _check_total(path.name, sum(entry.file_size for entry in archive.infolist()))
        for entry in archive.infolist():
            parts = _parts(path.name, entry.filename)
            if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ValueError(_no_file(path.name, entry.filename))
            if entry.flag_bits & 1:
                raise ValueError(f"{path.name}: {entry.filename!r} is encrypted; unpack it first")
            content = None if entry.is_dir() else partial(_zip_content, path.name, archive, entry)
            yield Member(parts, content)


def _zip_content(name: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with _reading(name):
        return archive.read(entry)


def _parts(archive: str, name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{archive}: {name!r} leaves the archive's own folder")
    return path.parts


def _no_file(archive: str, name: str) -> str:
    return f"{archive}: {name!r} is a link or a device; only files and folders are taken"


def _check_total(archive: str, total: int) -> None:
    if total > LARGEST_TOTAL:
        raise ValueError(f"{archive} unpacks to more than {LARGEST_TOTAL / 2**30:g} GiB")


@contextlib.contextmanager
def _reading(archive: str) -> Iterator[None]:
    """Turns what the archive modules raise into one message."""
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
