"""CIFAR-10: torchvision's batches, or an archive of the same images as JPEGs."""

import hashlib
import io
import pickletools
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from ann2snn.data.raw import Raw, one_line
from ann2snn.data.settings import DataSettings

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
BATCHES = "cifar-10-batches-py"
ARCHIVE = "cifar10-jpg.tar.gz"
PIXELS = 3 * 32 * 32


def read(settings: DataSettings, root: Path) -> Raw:  # noqa: ARG001
    """The 50,000 training and 10,000 test images; the original wins over the JPEG copy.

    Raises:
        ValueError: a file is corrupt.
        OSError: nothing is there and the download failed.
    """
    if (root / BATCHES).is_dir():
        return _original(root)
    if (root / ARCHIVE).is_file():
        return _jpeg_copy(root / ARCHIVE)
    _download(root)
    return _original(root)


def _download(root: Path) -> None:
    """Puts torchvision's batches under `root`, whole or not at all."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import download_url

    root.mkdir(parents=True, exist_ok=True)
    try:
        download_url(CIFAR10.url, str(root), CIFAR10.filename, CIFAR10.tgz_md5)
        with (
            tempfile.TemporaryDirectory(dir=root, prefix=".cifar10-") as temporary,
            tarfile.open(root / CIFAR10.filename) as archive,
        ):
            archive.extractall(temporary, filter="data")
            (Path(temporary) / BATCHES).replace(root / BATCHES)
    except (RuntimeError, OSError, tarfile.TarError) as error:
        raise OSError(
            f"CIFAR-10 is not under DATA_ROOT and could not be downloaded: {one_line(error)};"
            f" put {BATCHES} or {ARCHIVE} there"
        ) from error


def _original(root: Path) -> Raw:
    from torchvision.datasets import CIFAR10

    images: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    for part, files in (("train", CIFAR10.train_list), ("test", CIFAR10.test_list)):
        for name, md5 in files:
            path = root / BATCHES / name
            content = path.read_bytes() if path.is_file() else b""
            if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
                raise ValueError(
                    f"{BATCHES}/{name} is missing or does not have torchvision's checksum;"
                    f" remove {BATCHES} and let it be downloaded again"
                )
            batch_images, batch_labels = read_batch(content, name)
            images[part].append(batch_images)
            labels[part] += batch_labels
    return Raw(
        name="CIFAR-10",
        source="batches of torchvision.datasets.CIFAR10",
        classes=CLASSES,
        levels=255,
        train_images=np.concatenate(images["train"]),
        train_labels=np.array(labels["train"], np.int64),
        test_images=np.concatenate(images["test"]),
        test_labels=np.array(labels["test"], np.int64),
    )


def read_batch(content: bytes, name: str) -> tuple[np.ndarray, list[int]]:
    """Images (N, 3, 32, 32) and labels of a pickled batch, by walking its opcodes.

    Nothing is unpickled: of the stream of opcodes only the one long string of pixels and the whole
    numbers between the key 'labels' and the next key are taken.

    Raises:
        ValueError: the stream holds something else.
    """
    pixels = b""
    labels: list[int] = []
    in_labels = False
    for opcode, argument, _ in pickletools.genops(content):
        if isinstance(argument, str | bytes) and "PUT" not in opcode.name:
            text = argument if isinstance(argument, bytes) else argument.encode("latin-1")
            if len(text) >= PIXELS:
                pixels = text
            in_labels = text == b"labels"
        elif in_labels and opcode.name in ("BININT1", "BININT", "INT", "BININT2"):
            labels.append(int(str(argument)))
    if not labels or len(pixels) != PIXELS * len(labels) or set(labels) - set(range(10)):
        raise ValueError(
            f"{name} is not a CIFAR-10 batch: {len(pixels)} bytes, {len(labels)} labels"
        )
    return np.frombuffer(pixels, np.uint8).reshape(-1, 3, 32, 32), labels


def _jpeg_copy(path: Path) -> Raw:
    found: dict[tuple[str, int, str], bytes] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                parts = member.name.split("/")
                if member.isfile() and len(parts) == 4 and parts[2] in CLASSES:
                    file = archive.extractfile(member)
                    assert file is not None, "a regular file"
                    found[parts[1], CLASSES.index(parts[2]), parts[3]] = file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{ARCHIVE} cannot be read: {error}; copy it again") from error
    arrays = {}
    for part, count in (("train", 50_000), ("test", 10_000)):
        entries = sorted(key for key in found if key[0] == part)
        if len(entries) != count:
            raise ValueError(f"{ARCHIVE} holds {len(entries)} {part} images, not {count}")
        images = np.empty((count, 3, 32, 32), np.uint8)
        for index, key in enumerate(entries):
            image = Image.open(io.BytesIO(found[key])).convert("RGB")
            images[index] = np.asarray(image).transpose(2, 0, 1)
        arrays[part] = images, np.array([key[1] for key in entries], np.int64)
    return Raw(
        name="CIFAR-10 (JPEG copy)",
        source="cifar10-jpg.tar.gz: the images as JPEGs at quality 75, by class and name",
        classes=CLASSES,
        levels=255,
        train_images=arrays["train"][0],
        train_labels=arrays["train"][1],
        test_images=arrays["test"][0],
        test_labels=arrays["test"][1],
    )
