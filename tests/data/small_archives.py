"""Small data sets in the layouts of the real ones, and a server on this machine that gives them."""

import contextlib
import gzip
import io
import struct
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from ann2snn.data.download import md5_of
from ann2snn.data.sets import cifar10, cifar100, fashion_mnist, mnist
from ann2snn.data.settings import DataSettings

Name = Literal["mnist", "fashion_mnist", "cifar10", "cifar10_original", "cifar100"]


def small(name: Name) -> DataSettings:
    return DataSettings(name=name, validation=3, calibration=4)


@contextlib.contextmanager
def served(files: Mapping[str, bytes], *, cut: bool = False) -> Iterator[str]:
    """The address of a server of `files`; with `cut` it hangs up halfway through each."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            content = files.get(self.path.removeprefix("/"))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            content = files.get(self.path.removeprefix("/"), b"")
            self.wfile.write(content[: len(content) // 2] if cut else content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing: tests read what arrives."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def idx(array: npt.NDArray[np.uint8]) -> bytes:
    """An idx file: a type (unsigned bytes, number of axes), the sizes, the bytes."""
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def small_mnist(monkeypatch: pytest.MonkeyPatch, count: int = 20) -> dict[str, bytes]:
    """The four idx files of `count` training images, which now count as the original ones."""
    rng = np.random.default_rng(0)
    files = {}
    for part, images in (("train", count), ("t10k", count // 2)):
        pixels = rng.integers(0, 256, (images, 28, 28), dtype=np.uint8)
        files[f"{part}-images-idx3-ubyte"] = idx(pixels)
        files[f"{part}-labels-idx1-ubyte"] = idx(np.arange(images, dtype=np.uint8) % 10)
    for name, content in files.items():
        monkeypatch.setitem(mnist.FILES, name, md5_of(content))
    for name, content in packed(files).items():
        monkeypatch.setitem(fashion_mnist.FILES, name, md5_of(content))
    return files


def packed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Without the clock's time, so that the same files give the same checksums."""
    return {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in files.items()}


def batch(pixels: npt.NDArray[np.uint8], labels: list[int], *, coarse: bool = False) -> bytes:
    """A batch as Python 2 pickled it: a dict of a list of labels and an array (N, 3072). With
    `coarse` the labels are the fine ones of CIFAR-100, before coarse ones that are all 7."""

    def short(text: bytes) -> bytes:
        return b"U" + bytes([len(text)]) + text

    shape = b"".join(b"M" + struct.pack("<H", size) for size in pixels.shape)
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\x00\x85"
        + short(b"b") + b"\x87R(K\x01" + shape + b"\x86cnumpy\ndtype\nq\x08"
        + short(b"u1") + b"K\x00K\x01\x87R(K\x03" + short(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + b"T" + struct.pack("<i", pixels.size) + pixels.tobytes() + b"tb"
    )  # fmt: skip
    return (
        b"\x80\x02}q\x01("
        + short(b"batch_label") + b"q\x02" + short(b"training batch 1 of 5") + b"q\x03"
        + short(b"fine_labels" if coarse else b"labels") + b"q\x04]q\x05(" + numbers + b"e"
        + (short(b"coarse_labels") + b"](" + b"K\x07" * len(labels) + b"e" if coarse else b"")
        + short(b"data") + array
        + short(b"filenames") + b"]q\x09(" + short(b"a_s_0001.png") * len(labels) + b"eu."
    )  # fmt: skip


def small_batches(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Six batches of ten images, which now count as the original ones."""
    files = {}
    for seed, name in enumerate([*cifar10.TRAIN_BATCHES, *cifar10.TEST_BATCHES]):
        rng = np.random.default_rng(seed)
        pixels = rng.integers(0, 256, (10, 3072), dtype=np.uint8)
        files[name] = batch(pixels, [(seed + index) % 10 for index in range(10)])
        lists = cifar10.TRAIN_BATCHES if name in cifar10.TRAIN_BATCHES else cifar10.TEST_BATCHES
        monkeypatch.setitem(lists, name, md5_of(files[name]))
    return files


def small_cifar100(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Files of 200 training and 100 test images, all classes in turn, which now count as the
    original ones."""
    files = {}
    for name, count in (("train", 200), ("test", 100)):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 3072), dtype=np.uint8)
        files[name] = batch(pixels, [index % 100 for index in range(count)], coarse=True)
        monkeypatch.setitem(cifar100.FILES, name, md5_of(files[name]))
    return files


def tar_of(files: Mapping[str, bytes], mode: Literal["w", "w:gz", "w:xz"] = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def image_file(pixels: npt.NDArray[np.uint8], kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def pets(colour: bool = False) -> dict[str, bytes]:
    """Six training and two test images of ants (grey levels from 0) and bees (from 10), 6 x 5."""
    shape = (6, 5, 3) if colour else (6, 5)
    return {
        f"{part}/{name}/{index}.png": image_file(np.full(shape, 10 * label + index, np.uint8))
        for part, count in (("train", 6), ("test", 2))
        for label, name in enumerate(("ant", "bee"))
        for index in range(count)
    }


def write(files: Mapping[str, bytes], root: Path) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
