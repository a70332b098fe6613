"""Data sets from files as they are found, and by a real download from a server on this machine."""

import contextlib
import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from ann2snn.data import cifar10
from ann2snn.data.dataset import ARRAYS, open_saved, save
from ann2snn.data.fingerprint import fingerprint
from ann2snn.data.loading import load
from ann2snn.data.settings import DataSettings

REAL = Path(os.environ.get("DATA_ROOT") or Path(__file__).parents[3] / "shared" / "data")


def small(name: Literal["mnist", "cifar10"]) -> DataSettings:
    return DataSettings(name=name, validation=3, calibration=4)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing: the test reads what arrives."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of the files in `folder`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def mnist_files(count: int = 20) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    files = {}
    for part, images in (("train", count), ("t10k", count // 2)):
        pixels = rng.integers(0, 256, (images, 28, 28))
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(pixels))
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(images) % 10))
    return files


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def cifar_batch(seed: int, images: int = 10) -> bytes:
    """A batch as CIFAR-10's authors wrote it: a pickled dict of bytes keys."""
    pixels = np.random.default_rng(seed).integers(0, 256, (images, 3072), dtype=np.uint8)
    content = {
        b"batch_label": b"training batch",
        b"labels": [(seed + i) % 10 for i in range(images)],
        b"data": pixels,
        b"filenames": [b"a.png"] * images,
    }
    return pickle.dumps(content, protocol=2)


def cifar_archive(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small archive in torchvision's layout, whose checksums torchvision is told."""
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    batches = {name: cifar_batch(seed) for seed, name in enumerate(names)}
    lists = [[name, md5(content)] for name, content in batches.items()]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", lists[:5])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", lists[5:])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"{cifar10.BATCHES}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(buffer.getvalue()))
    return buffer.getvalue()


def test_mnist_is_downloaded_with_torchvisions_checksums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = mnist_files()
    (tmp_path / "site").mkdir()
    for name, content in files.items():
        (tmp_path / "site" / name).write_bytes(content)
    resources = [(name, md5(content)) for name, content in files.items()]
    with served(tmp_path / "site") as address:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(datasets.MNIST, "resources", resources)
        dataset = load(small("mnist"), tmp_path / "raw")
    assert dataset.train_images.shape == (20, 1, 28, 28)
    assert (dataset.test_labels == np.arange(10)).all()
    assert dataset.manifest["name"] == "MNIST"
    again = load(small("mnist"), tmp_path / "raw")
    assert again.manifest == dataset.manifest


def test_a_failed_mnist_download_names_the_cure_and_leaves_nothing_to_be_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = mnist_files()
    (tmp_path / "site").mkdir()
    for name, content in files.items():
        (tmp_path / "site" / name).write_bytes(content[: len(content) // 2])
    with served(tmp_path / "site") as address:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(
            datasets.MNIST, "resources", [(name, md5(c)) for name, c in files.items()]
        )
        for _ in range(2):
            with pytest.raises(OSError, match=r"could not be downloaded.*put its idx files into"):
                load(small("mnist"), tmp_path / "raw")


def test_cifar10_is_downloaded_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "cifar-10-python.tar.gz").write_bytes(cifar_archive(monkeypatch))

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    with served(tmp_path / "site") as address:
        monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}cifar-10-python.tar.gz")
        with monkeypatch.context() as no_pickle:
            no_pickle.setattr(pickle, "load", forbidden)
            no_pickle.setattr(pickle, "loads", forbidden)
            dataset = load(small("cifar10"), tmp_path / "raw")
    assert dataset.manifest["name"] == "CIFAR-10"
    expected = pickle.loads(cifar_batch(0), encoding="bytes")
    assert (dataset.train_images[:10].reshape(10, -1) == expected[b"data"]).all()
    assert dataset.train_labels[:10].tolist() == expected[b"labels"]
    assert dataset.train_images.shape == (50, 3, 32, 32)


def test_a_changed_cifar10_batch_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(fileobj=io.BytesIO(cifar_archive(monkeypatch))) as archive:
        archive.extractall(tmp_path, filter="data")
    path = tmp_path / cifar10.BATCHES / "data_batch_3"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="data_batch_3 is missing or does not have torchvision's"):
        load(small("cifar10"), tmp_path)


def test_a_pickle_that_holds_anything_else_is_no_batch() -> None:
    with pytest.raises(ValueError, match="evil is not a CIFAR-10 batch"):
        cifar10.read_batch(pickle.dumps({b"labels": [1, 2], b"data": b"short"}), "evil")


@pytest.mark.parametrize("cut", [10, 1000])
def test_a_corrupt_idx_file_is_named_with_the_cure(tmp_path: Path, cut: int) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in mnist_files().items():
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    path = raw / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte is .*remove it and let it be"):
        load(small("mnist"), tmp_path)


def jpeg_archive(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for seed, name in enumerate(names):
            pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "JPEG")
            member = tarfile.TarInfo(name)
            member.size = len(buffer.getvalue())
            archive.addfile(member, io.BytesIO(buffer.getvalue()))


def test_the_jpeg_copy_must_be_whole(tmp_path: Path) -> None:
    jpeg_archive(tmp_path / cifar10.ARCHIVE, ["cifar10/train/cat/0000.jpg"])
    with pytest.raises(ValueError, match=r"cifar10-jpg.tar.gz holds 1 train images, not 50000"):
        load(small("cifar10"), tmp_path)
    content = (tmp_path / cifar10.ARCHIVE).read_bytes()
    (tmp_path / cifar10.ARCHIVE).write_bytes(content[:-40])
    with pytest.raises(ValueError, match=r"cifar10-jpg.tar.gz"):
        load(small("cifar10"), tmp_path)


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="MNIST is not in DATA_ROOT")
def test_the_real_mnist_is_what_everyone_has() -> None:
    dataset = load(DataSettings(name="mnist", validation=5000, calibration=10000), REAL)
    assert np.bincount(dataset.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert len(dataset.train_images) == 60_000


@pytest.mark.skipif(not (REAL / cifar10.ARCHIVE).is_file(), reason="the JPEG copy is not there")
def test_the_real_jpeg_copy_is_balanced_and_named_as_what_it_is() -> None:
    dataset = load(DataSettings(name="cifar10", validation=5000, calibration=10000), REAL)
    assert dataset.manifest["name"] == "CIFAR-10 (JPEG copy)"
    assert np.bincount(dataset.train_labels).tolist() == [5000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10
    assert len(np.unique(dataset.train_labels[dataset.calibration])) == 10


def test_digits_have_fixed_splits_in_which_no_image_stands_twice(tmp_path: Path) -> None:
    dataset = load(DataSettings(), tmp_path)
    assert dataset.levels == 16
    assert dataset.train_images.max() == 16
    together = np.concatenate([dataset.fit, dataset.validation])
    assert sorted(together.tolist()) == list(range(1437))
    assert set(dataset.calibration.tolist()) <= set(dataset.fit.tolist())
    other = load(DataSettings(seed=1), tmp_path)
    assert (other.test_images == dataset.test_images).all()
    assert (other.validation != dataset.validation).any()


def test_a_saved_data_set_opens_equal(tmp_path: Path) -> None:
    dataset = load(DataSettings(), tmp_path)
    save(dataset, tmp_path)
    again = open_saved(tmp_path)
    assert again.manifest == dataset.manifest
    for name in ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(dataset, name))


def test_splits_must_fit_into_the_training_images(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="validation 1000 and calibration 500 must fit into the 14"
    ):
        load(DataSettings(validation=1000, calibration=500), tmp_path)


def test_a_fingerprint_tells_which_raw_data_are_there(tmp_path: Path) -> None:
    settings = DataSettings(name="cifar10")
    assert fingerprint(settings, tmp_path) == ""
    (tmp_path / cifar10.ARCHIVE).touch()
    assert fingerprint(settings, tmp_path) == "jpeg"
    (tmp_path / cifar10.BATCHES).mkdir()
    assert fingerprint(settings, tmp_path) == "batches"
