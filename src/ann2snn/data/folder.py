"""A user's own data set: {train,test}/{class}/image in a directory or an archive."""

import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ann2snn.data.raw import Raw
from ann2snn.data.settings import DataSettings

LARGEST_UNPACKED = 32 * 2**30


def read(settings: DataSettings, root: Path) -> Raw:
    """All images of the directory or archive `settings.path`, taken from `root` if relative.

    Raises:
        ValueError: its layout is another, an image cannot be read, or sizes differ.
    """
    path = root / settings.path
    if path.is_dir():
        return _directory(settings, path)
    if not path.is_file():
        raise ValueError(f"data.path {settings.path!r} is neither a directory nor a file")
    with tempfile.TemporaryDirectory(prefix="ann2snn-") as temporary:
        unpack(path, Path(temporary))
        return _directory(settings, Path(temporary))


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a .zip or .tar archive; no member may leave `target`.

    Raises:
        ValueError: a member would leave it, is no plain file, or all are too large.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as bundle:
                _check([(i.filename, i.file_size) for i in bundle.infolist()], archive, target)
                bundle.extractall(target)  # noqa: S202 (members are checked above)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as bundle_tar:
                _check([(m.name, m.size) for m in bundle_tar.getmembers()], archive, target)
                bundle_tar.extractall(target, filter="data")
        else:
            raise ValueError(f"{archive.name} is neither a .zip nor a .tar archive")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{archive.name} cannot be unpacked: {error}") from error


def _check(members: list[tuple[str, int]], archive: Path, target: Path) -> None:
    inside = target.resolve()
    for name, _ in members:
        if not (inside / name).resolve().is_relative_to(inside):
            raise ValueError(f"{archive.name}: {name!r} would leave the folder it is unpacked to")
    if sum(size for _, size in members) > LARGEST_UNPACKED:
        raise ValueError(f"{archive.name} unpacks to more than {LARGEST_UNPACKED >> 30} GiB")


def _directory(settings: DataSettings, path: Path) -> Raw:
    inner = [child for child in path.iterdir() if child.is_dir()]
    if not (path / "train").is_dir() and len(inner) == 1:
        path = inner[0]
    parts: dict[str, list[tuple[Path, int]]] = {}
    classes: list[str] = []
    for part in ("train", "test"):
        folder = path / part
        if not folder.is_dir():
            raise ValueError(f"{settings.path} has no folder {part}/; it takes train/ and test/")
        found = sorted(child.name for child in folder.iterdir() if child.is_dir())
        if classes and found != classes:
            raise ValueError(f"{settings.path}: train/ has classes {classes}, {part}/ has {found}")
        classes = found
        parts[part] = [
            (image, label)
            for label, name in enumerate(classes)
            for image in sorted(p for p in (folder / name).iterdir() if p.is_file())
        ]
        for label, name in enumerate(classes):
            if not any(own == label for _, own in parts[part]):
                raise ValueError(f"{settings.path}: {part}/{name} holds no image")
    if len(classes) < 2:
        raise ValueError(f"{settings.path} must hold at least two classes, got {classes}")
    channels = settings.channels or _channels(parts["train"][0][0])
    arrays = {}
    size: tuple[int, ...] = ()
    for part, files in parts.items():
        images = [_image(file, settings, channels, path) for file, _ in files]
        for (file, _), image in zip(files, images, strict=True):
            size = size or image.shape
            if image.shape != size:
                raise ValueError(
                    f"{file.relative_to(path).as_posix()} has {image.shape[1]}x{image.shape[2]}"
                    f" pixels, others {size[1]}x{size[2]}; give data.height and data.width"
                )
        arrays[part] = np.stack(images), np.array([label for _, label in files], np.int64)
    return Raw(
        name=Path(settings.path).name.split(".")[0],
        source="a folder of images",
        classes=tuple(classes),
        levels=255,
        train_images=arrays["train"][0],
        train_labels=arrays["train"][1],
        test_images=arrays["test"][0],
        test_labels=arrays["test"][1],
    )


def _channels(file: Path) -> int:
    with _opened(file) as image:
        return 1 if image.mode in ("1", "L", "I;16") else 3


def _opened(file: Path) -> Image.Image:
    try:
        return Image.open(file)
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{file.parent.name}/{file.name} is not an image: {error}") from error


def _image(file: Path, settings: DataSettings, channels: int, root: Path) -> np.ndarray:
    name = file.relative_to(root).as_posix()
    try:
        with _opened(file) as image:
            plain = image.convert("L" if channels == 1 else "RGB")
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error}") from error
    width, height = settings.width or plain.width, settings.height or plain.height
    if (width, height) != plain.size:
        plain = plain.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(plain, np.uint8)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
