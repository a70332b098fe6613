"""MNIST from torchvision's idx files, downloaded with torchvision's checksums where missing."""

import gzip
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ann2snn.data.raw import Raw, one_line
from ann2snn.data.settings import DataSettings

PARTS = {
    "train_images": ("train-images-idx3-ubyte", 3),
    "train_labels": ("train-labels-idx1-ubyte", 1),
    "test_images": ("t10k-images-idx3-ubyte", 3),
    "test_labels": ("t10k-labels-idx1-ubyte", 1),
}


def read(settings: DataSettings, root: Path) -> Raw:  # noqa: ARG001
    """The 60,000 training and 10,000 test images.

    Raises:
        ValueError: a file is not what its header says.
        OSError: the download failed.
    """
    folder = root / "MNIST" / "raw"
    if not all(_file(folder, name) for name, _ in PARTS.values()):
        _download(root)
    arrays = {part: _idx(folder, name, axes) for part, (name, axes) in PARTS.items()}
    for part in ("train", "test"):
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        if len(images) != len(labels):
            raise ValueError(
                f"MNIST has {len(images)} {part} images but {len(labels)} labels;"
                " remove the files and let them be downloaded again"
            )
    return Raw(
        name="MNIST",
        source="idx files of torchvision.datasets.MNIST",
        classes=tuple(str(digit) for digit in range(10)),
        levels=255,
        train_images=arrays["train_images"][:, None],
        train_labels=arrays["train_labels"].astype(np.int64),
        test_images=arrays["test_images"][:, None],
        test_labels=arrays["test_labels"].astype(np.int64),
    )


def _file(folder: Path, name: str) -> Path | None:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def _idx(folder: Path, name: str, axes: int) -> npt.NDArray[np.uint8]:
    path = _file(folder, name)
    assert path is not None, "read() saw the file"
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        magic, *shape = struct.unpack_from(f">{1 + axes}I", content)
    except (EOFError, gzip.BadGzipFile, struct.error) as error:
        raise ValueError(
            f"{path.name} is not an idx file ({error}); remove it and let it be downloaded again"
        ) from error
    wanted = 4 * (1 + axes) + int(np.prod(shape))
    if magic != 0x0800 + axes or len(content) != wanted:
        raise ValueError(
            f"{path.name} is corrupt: {len(content)} bytes where its header says {wanted};"
            " remove it and let it be downloaded again"
        )
    return np.frombuffer(content, np.uint8, offset=4 * (1 + axes)).reshape(shape)


def _download(root: Path) -> None:
    from torchvision.datasets import MNIST

    try:
        MNIST(str(root), train=True, download=True)
    except (RuntimeError, OSError) as error:
        raise OSError(
            f"MNIST is not under DATA_ROOT and could not be downloaded: {one_line(error)};"
            " put its idx files into MNIST/raw there"
        ) from error
