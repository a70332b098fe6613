"""Images and labels in idx files: MNIST and torchvision's other data sets of that format."""

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ann2snn.data.download import fetch, md5_of
from ann2snn.data.source import RawImages


def read_idx(
    root: Path, dataset: str, checksums: Mapping[str, str], classes: tuple[str, ...], title: str
) -> RawImages:
    """The images of `dataset`, a class of torchvision.datasets, below `root`; files that are not
    there are downloaded. `checksums` are the md5 of the four files, which are either uncompressed
    or, where they are named .gz, packed. `title` is the data set's name.

    Raises:
        ValueError: a file is not the original one.
        OSError: the download failed.
    """
    folder = f"{dataset}/raw"
    found: dict[str, npt.NDArray[np.uint8]] = {}
    for name in checksums:
        if _file(root / folder, name) is None:
            _download(root / folder, name, dataset)
    for name, md5 in checksums.items():
        path = _file(root / folder, name)
        assert path is not None, "what was missing has been fetched"
        content = _content(path)
        if md5_of(path.read_bytes() if name.endswith(".gz") else content) != md5:
            raise ValueError(
                f"{folder}/{path.name} is not the original {dataset} file, or not all of it (its"
                " checksum differs); remove it and it will be downloaded again"
            )
        # a header of four bytes and the sizes of all axes, of four bytes each
        axes = content[3]
        sizes = np.frombuffer(content, ">u4", axes, offset=4).tolist()
        found[name.removesuffix(".gz")] = np.frombuffer(
            content, np.uint8, offset=4 + 4 * axes
        ).reshape(sizes)
    return RawImages(
        name=title,
        source=f"idx files of torchvision.datasets.{dataset}",
        classes=classes,
        levels=255,
        train_images=found["train-images-idx3-ubyte"][:, None],
        train_labels=found["train-labels-idx1-ubyte"].astype(np.int64),
        test_images=found["t10k-images-idx3-ubyte"][:, None],
        test_labels=found["t10k-labels-idx1-ubyte"].astype(np.int64),
    )


def _file(folder: Path, name: str) -> Path | None:
    paths = (folder / name, folder / f"{name.removesuffix('.gz')}.gz")
    return next((path for path in paths if path.is_file()), None)


def _content(path: Path) -> bytes:
    """The uncompressed bytes of a file, none if they are damaged."""
    content = path.read_bytes()
    try:
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return b""


def _download(folder: Path, name: str, dataset: str) -> None:
    from torchvision import datasets

    known, packed = getattr(datasets, dataset), f"{name.removesuffix('.gz')}.gz"
    addresses = [f"{mirror}{packed}" for mirror in known.mirrors]
    fetch(addresses, dict(known.resources)[packed], folder / packed, f"{dataset}/raw/{packed}")
