"""A user's own data set: {train,test}/{class}/image in a directory or an archive."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.archives import ENDINGS
from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings


def read(settings: "DataSettings", root: Path) -> RawImages:
    """All images of the directory or archive `settings.path`, taken from `root` if relative.

    Raises:
        ValueError: it is not there, its layout is another, an image cannot be read, or shapes
            differ.
    """
    from ann2snn.data.image_folder import labelled_images

    path = Path(os.path.normpath(root / settings.path))
    if not path.exists():
        raise ValueError(
            f"data.path {settings.path!r} is neither a directory nor a file; a relative path"
            " begins at DATA_ROOT"
        )
    resized = ", resized" if settings.height or settings.width else ""
    return labelled_images(
        path, manifest_name(path), f"a folder of images{resized}",
        channels=settings.channels, height=settings.height, width=settings.width,
    )  # fmt: skip


def manifest_name(path: Path) -> str:
    """The name of a folder's or an archive's data set, never one that reports know already."""
    endings = () if path.is_dir() else ENDINGS
    ending = next((each for each in endings if path.name.lower().endswith(each)), "")
    name = path.name[: len(path.name) - len(ending)]
    reserved = any(name in source.manifest_names for source in DATA_SETS.values())
    return f"{name} (folder)" if reserved else name


def fingerprint(settings: "DataSettings", root: Path) -> str:
    """A hash of the names, sizes and times of all files."""
    path = root / settings.path
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if not file.is_file():
            return ""
        state = file.stat()
        name = file.relative_to(path).as_posix()
        digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest() if files else ""


DATA_SETS.add(
    DataSource(
        name="folder",
        meaning="your own images, at data.path",
        read=read,
        fingerprint=fingerprint,
        takes=("path", "height", "width", "channels"),
    )
)
