"""MNIST from torchvision's idx files, downloaded with torchvision's checksums where missing."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ann2snn.data.download import fetch, md5_of
from ann2snn.data.raw import Raw
from ann2snn.data.settings import DataSettings

FOLDER = "MNIST/raw"
# md5 of the uncompressed files; torchvision's own checksums are those of the .gz files.
FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
IMAGES_HEADER = 16  # bytes: a type and three sizes
LABELS_HEADER = 8  # bytes: a type and one size


def read(settings: DataSettings, root: Path) -> Raw:  # noqa: ARG001
    """The 60,000 training and 10,000 test images; files that are not there are downloaded.

    Raises:
        ValueError: a file is not the original one.
        OSError: the download failed.
    """
    folder = root / FOLDER
    for name in FILES:
        if _file(folder, name) is None:
            _download(folder, name)
    return Raw(
        name="MNIST",
        source="idx files of torchvision.datasets.MNIST",
        classes=tuple(str(digit) for digit in range(10)),
        levels=255,
        train_images=_images(folder, "train-images-idx3-ubyte"),
        train_labels=_labels(folder, "train-labels-idx1-ubyte"),
        test_images=_images(folder, "t10k-images-idx3-ubyte"),
        test_labels=_labels(folder, "t10k-labels-idx1-ubyte"),
    )


def _images(folder: Path, name: str) -> npt.NDArray[np.uint8]:
    content = _content(folder, name)
    return np.frombuffer(content, np.uint8, offset=IMAGES_HEADER).reshape(-1, 1, 28, 28)


def _labels(folder: Path, name: str) -> npt.NDArray[np.int64]:
    content = _content(folder, name)
    return np.frombuffer(content, np.uint8, offset=LABELS_HEADER).astype(np.int64)


def _content(folder: Path, name: str) -> bytes:
    """The uncompressed bytes of a file, which are the original's to the last bit."""
    path = _file(folder, name)
    assert path is not None, "read() fetched what was missing"
    content = path.read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            content = b""
    if md5_of(content) != FILES[name]:
        raise ValueError(
            f"{FOLDER}/{path.name} is not the original MNIST file, or not all of it (its checksum"
            " differs); remove it and it will be downloaded again"
        )
    return content


def _file(folder: Path, name: str) -> Path | None:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def _download(folder: Path, name: str) -> None:
    from torchvision.datasets import MNIST

    packed = f"{name}.gz"
    addresses = [f"{mirror}{packed}" for mirror in MNIST.mirrors]
    fetch(addresses, dict(MNIST.resources)[packed], folder / packed, f"{FOLDER}/{packed}")
