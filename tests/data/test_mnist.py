"""MNIST from files as they are found and by a real download from a server on this machine."""

import os
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from ann2snn.data.dataset import load
from ann2snn.data.download import md5_of
from ann2snn.data.settings import DataSettings
from tests.data.small_archives import packed, served, small, small_mnist, write

REAL = Path(os.environ.get("DATA_ROOT") or Path(__file__).parents[3] / "shared" / "data")


def tell_torchvision(
    monkeypatch: pytest.MonkeyPatch, address: str, archives: dict[str, bytes]
) -> None:
    resources = [(name, md5_of(content)) for name, content in archives.items()]
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{address}gone/", address])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)


def test_mnist_is_downloaded_from_the_first_mirror_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_mnist(monkeypatch)
    with served(packed(files)) as address:
        tell_torchvision(monkeypatch, address, packed(files))
        dataset = load(small("mnist"), tmp_path)
    assert dataset.manifest["name"] == "MNIST"
    assert dataset.train_images.shape == (20, 1, 28, 28)
    assert dataset.train_images.tobytes() == files["train-images-idx3-ubyte"][16:]
    assert dataset.test_labels.tolist() == list(range(10))
    assert {path.name for path in (tmp_path / "MNIST" / "raw").iterdir()} == set(packed(files))
    offline = load(small("mnist"), tmp_path)
    assert offline.manifest == dataset.manifest


def test_torchvision_takes_what_we_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_mnist(monkeypatch)
    with served(packed(files)) as address:
        tell_torchvision(monkeypatch, address, packed(files))
        dataset = load(small("mnist"), tmp_path)
    theirs = datasets.MNIST(str(tmp_path), train=False, download=True)
    assert np.array_equal(theirs.data.numpy(), dataset.test_images[:, 0])
    assert load(small("mnist"), tmp_path).manifest == dataset.manifest


def test_only_files_that_are_missing_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_mnist(monkeypatch)
    missing = "t10k-labels-idx1-ubyte"
    write({n: c for n, c in files.items() if n != missing}, tmp_path / "MNIST" / "raw")
    with served(packed({missing: files[missing]})) as address:
        tell_torchvision(monkeypatch, address, packed(files))
        assert len(load(small("mnist"), tmp_path).test_labels) == 10


@pytest.mark.parametrize("kind", ["cut off", "changed", "gone"])
def test_a_failed_download_names_file_reason_and_cure_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    files = small_mnist(monkeypatch)
    wrong = {name: content[:-9] + b"different" for name, content in packed(files).items()}
    site = {"cut off": packed(files), "changed": wrong, "gone": {}}[kind]
    reason = "HTTP Error 404" if kind == "gone" else "a file without torchvision's checksum"
    with served(site, cut=kind == "cut off") as address:
        tell_torchvision(monkeypatch, address, packed(files))
        with pytest.raises(
            OSError,
            match=r"^train-images-idx3-ubyte.gz is not under DATA_ROOT and could not be downloaded"
            rf": .*{reason}.*; try again, or put MNIST/raw/train-images-idx3-ubyte.gz there$",
        ):
            load(small("mnist"), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with served(packed(files)) as address:
        tell_torchvision(monkeypatch, address, packed(files))
        assert len(load(small("mnist"), tmp_path).train_labels) == 20


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("damage", ["cut off", "changed", "garbled", "empty"])
def test_a_damaged_file_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, damage: str
) -> None:
    files = small_mnist(monkeypatch)
    write(packed(files) if ending else files, tmp_path / "MNIST" / "raw")
    name = f"train-images-idx3-ubyte{ending}"
    path = tmp_path / "MNIST" / "raw" / name
    content = path.read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    garbled = content[:12] + bytes([255]) * 100 + content[112:]
    damages = {"cut off": content[:middle], "changed": changed, "garbled": garbled, "empty": b""}
    path.write_bytes(damages[damage])
    with pytest.raises(
        ValueError, match=rf"^MNIST/raw/{name} is not the original MNIST file.*; remove it and it"
    ):
        load(small("mnist"), tmp_path)


@pytest.mark.skipif(not (REAL / "MNIST").is_dir(), reason="MNIST is not in DATA_ROOT")
def test_the_real_mnist_is_what_everyone_has() -> None:
    dataset = load(DataSettings(name="mnist", validation=5000, calibration=10000), REAL)
    assert np.bincount(dataset.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
    assert dataset.train_images.shape == (60_000, 1, 28, 28)
    assert dataset.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
