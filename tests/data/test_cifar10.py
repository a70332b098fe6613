"""CIFAR-10 from batches, from a real download, and from the archive of JPEGs."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from ann2snn.data import cifar10_jpegs
from ann2snn.data.cifar_batch import read_batch
from ann2snn.data.dataset import load
from ann2snn.data.download import md5_of
from ann2snn.data.sets import cifar10
from ann2snn.data.settings import DataSettings
from tests.data.small_archives import (
    batch,
    image_file,
    served,
    small,
    small_batches,
    tar_of,
    write,
)

REAL = Path(os.environ.get("DATA_ROOT") or Path(__file__).parents[3] / "shared" / "data")
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 3072), dtype=np.uint8)
LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]


def in_folder(batches: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{cifar10.FOLDER}/{name}": content for name, content in batches.items()}


def small_jpegs(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two training images and one test image of each class, which now count as all."""
    monkeypatch.setattr(cifar10_jpegs, "JPEGS_PER_CLASS", {"train": 2, "test": 1})
    files = {}
    for label, name in enumerate(cifar10_jpegs.CLASSES):
        for place, level in (("train/{}/0001", 20), ("train/{}/0000", 10), ("test/{}/0000", 30)):
            image = np.full((32, 32, 3), 20 * label + level // 10, np.uint8)
            files[f"cifar10/{place.format(name)}.jpg"] = image_file(image, "JPEG")
    return files


def test_checksums_are_torchvisions() -> None:
    assert list(cifar10.TRAIN_BATCHES.items()) == [tuple(e) for e in datasets.CIFAR10.train_list]
    assert list(cifar10.TEST_BATCHES.items()) == [tuple(e) for e in datasets.CIFAR10.test_list]
    assert datasets.CIFAR10.base_folder == cifar10.FOLDER
    assert datasets.CIFAR10.filename == cifar10.PACKED


def test_a_batch_is_read_as_pickle_would_read_it() -> None:
    content = batch(PIXELS, LABELS)
    expected = pickle.loads(content, encoding="latin1")
    images, labels = read_batch(content, "data_batch_1")
    assert np.array_equal(images.reshape(10, 3072), expected["data"])
    assert labels.tolist() == expected["labels"] == LABELS


def test_cifar10_is_downloaded_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = small_batches(monkeypatch)
    archive = tar_of(in_folder(batches))

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, forbidden)
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5_of(archive))
    with served({cifar10.PACKED: archive}) as address:
        monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}{cifar10.PACKED}")
        dataset = load(small("cifar10"), tmp_path)
    assert dataset.manifest["name"] == "CIFAR-10"
    assert dataset.manifest["counts"]["train"] == 50
    assert dataset.train_images.shape == (50, 3, 32, 32)
    assert dataset.train_labels[20:30].tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert np.array_equal(dataset.train_images[:10].reshape(10, 3072), PIXELS)
    write(in_folder(batches), tmp_path / "unpacked")
    assert load(small("cifar10"), tmp_path / "unpacked").manifest == dataset.manifest


def test_a_failed_download_of_cifar10_names_what_else_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tar_of(in_folder(small_batches(monkeypatch)))
    with served({cifar10.PACKED: archive}, cut=True) as address:
        monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}{cifar10.PACKED}")
        with pytest.raises(
            OSError,
            match=r"^cifar-10-python.tar.gz is not under DATA_ROOT and could not be downloaded: .*"
            r"checksum; try again, or put cifar-10-python.tar.gz, cifar-10-batches-py or"
            r" cifar10-jpg.tar.gz there$",
        ):
            load(small("cifar10"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_batch_without_its_checksum_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    batches = small_batches(monkeypatch)
    if damage == "missing":
        del batches["data_batch_3"]
    else:
        batches["data_batch_3"] += b"x"
    write(in_folder(batches), tmp_path)
    message = (
        "^data_batch_3 of CIFAR-10 is missing in cifar-10-batches-py or does not have torchvision's"
        " checksum; remove cifar-10-batches-py and it will be downloaded again$"
    )
    with pytest.raises(ValueError, match=message):
        load(small("cifar10"), tmp_path)


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_do_something_does_nothing(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps(Bomb(tmp_path / "touched"), protocol)
    with pytest.raises(ValueError, match=r"^evil is not a CIFAR-10 batch: it (names|has)"):
        read_batch(content, "evil")
    assert list(tmp_path.iterdir()) == []
    pickle.loads(content)
    assert (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (batch(PIXELS, LABELS[:-1]), r"it has 9 labels and pixels of \[30720\] bytes"),
        (batch(PIXELS[:0], LABELS), r"it has 10 labels and pixels of \[\] bytes"),
        (batch(PIXELS, [10, *LABELS[1:]]), r"it has 10 labels"),
        (batch(PIXELS, LABELS)[:-1], "pickle exhausted before seeing STOP"),
        (batch(PIXELS, LABELS).replace(b"numpy\nndarray", b"os\nsystem"), "it names 'os system'"),
        (b"", "pickle exhausted"),
    ],
)
def test_a_stream_that_is_no_batch_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^data_batch_1 is not a CIFAR-10 batch: {reason}"):
        read_batch(content, "data_batch_1")


def test_the_jpeg_copy_says_so_and_has_a_fixed_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / cifar10_jpegs.JPEGS).write_bytes(tar_of(small_jpegs(monkeypatch)))
    dataset = load(small("cifar10"), tmp_path)
    assert dataset.manifest["name"] == "CIFAR-10 (JPEG copy)"
    assert dataset.train_labels.tolist() == sorted([*range(10), *range(10)])
    assert dataset.train_images[:4, 0, 0, 0].tolist() == [1, 2, 21, 22]
    assert dataset.manifest["classes"] == list(cifar10_jpegs.CLASSES)


@pytest.mark.parametrize("packed", [True, False])
def test_the_original_wins_over_the_jpeg_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    batches = in_folder(small_batches(monkeypatch))
    (tmp_path / cifar10_jpegs.JPEGS).write_bytes(tar_of(small_jpegs(monkeypatch)))
    write({cifar10.PACKED: tar_of(batches)} if packed else batches, tmp_path)
    assert load(small("cifar10"), tmp_path).manifest["name"] == "CIFAR-10"


@pytest.mark.parametrize("damage", ["one image less", "another class", "another size"])
def test_a_jpeg_copy_that_is_not_whole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    files = small_jpegs(monkeypatch)
    if damage == "one image less":
        del files["cifar10/train/cat/0001.jpg"]
    elif damage == "another class":
        files = {name.replace("/cat/", "/cow/"): content for name, content in files.items()}
    else:
        small_image = image_file(np.zeros((8, 8, 3), np.uint8), "JPEG")
        files = dict.fromkeys(files, small_image)
    (tmp_path / cifar10_jpegs.JPEGS).write_bytes(tar_of(files))
    with pytest.raises(
        ValueError, match=r"^cifar10-jpg.tar.gz is not the whole of CIFAR-10: 10 .*; copy it again$"
    ):
        load(small("cifar10"), tmp_path)


def test_a_jpeg_copy_that_is_cut_off_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tar_of(small_jpegs(monkeypatch))
    for kept in (len(content) - 4, len(content) // 2, 3):
        (tmp_path / cifar10_jpegs.JPEGS).write_bytes(content[:kept])
        with pytest.raises(ValueError, match=r"^cifar10-jpg.tar.gz cannot be read as an archive"):
            load(small("cifar10"), tmp_path)


@pytest.mark.system
@pytest.mark.skipif(
    not (REAL / cifar10_jpegs.JPEGS).is_file(), reason="cifar10-jpg.tar.gz is not in DATA_ROOT"
)
def test_the_real_jpeg_copy_is_whole_and_balanced_in_its_splits() -> None:
    settings = DataSettings(name="cifar10", validation=5000, calibration=10000)
    dataset = load(settings, REAL)
    if (REAL / cifar10.FOLDER).exists() or (REAL / cifar10.PACKED).exists():
        pytest.skip("the original is in DATA_ROOT and wins")
    assert dataset.manifest["name"] == "CIFAR-10 (JPEG copy)"
    assert np.bincount(dataset.train_labels).tolist() == [5000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10
    # 500 of each class with a standard deviation of 20: 6 of them either way.
    validation = np.bincount(dataset.train_labels[dataset.validation])
    assert (abs(validation - 500) < 120).all()
