"""Fashion-MNIST, CIFAR-100 and the original test images of CIFAR-10, from made files."""

import os
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.training import train
from ann2snn.data import cifar10_jpegs
from ann2snn.data.dataset import load
from ann2snn.data.download import md5_of
from ann2snn.data.sets import cifar10_original, cifar100, fashion_mnist
from ann2snn.data.settings import DataSettings
from tests.data.small_archives import (
    batch,
    image_file,
    packed,
    served,
    small,
    small_cifar100,
    small_mnist,
    tar_of,
    write,
)

REAL = Path(os.environ.get("DATA_ROOT") or Path(__file__).parents[3] / "shared" / "data")
RAW = Path(fashion_mnist.FOLDER) / "raw"


def test_checksums_and_names_are_torchvisions() -> None:
    assert list(fashion_mnist.FILES.items()) == datasets.FashionMNIST.resources
    assert list(fashion_mnist.CLASSES) == datasets.FashionMNIST.classes
    lists = datasets.CIFAR100.train_list + datasets.CIFAR100.test_list
    assert [list(entry) for entry in cifar100.FILES.items()] == lists
    assert datasets.CIFAR100.base_folder == cifar100.FOLDER
    assert datasets.CIFAR100.filename == cifar100.PACKED
    assert len(set(cifar100.CLASSES)) == 100
    assert list(cifar100.CLASSES) == sorted(cifar100.CLASSES)


def test_fashion_mnist_is_downloaded_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_mnist(monkeypatch)
    with served(packed(files)) as address:
        monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [address])
        monkeypatch.setattr(datasets.FashionMNIST, "resources", list(fashion_mnist.FILES.items()))
        dataset = load(small("fashion_mnist"), tmp_path)
    assert dataset.manifest["name"] == "Fashion-MNIST"
    assert dataset.manifest["classes"] == list(fashion_mnist.CLASSES)
    assert dataset.train_images.tobytes() == files["train-images-idx3-ubyte"][16:]
    assert load(small("fashion_mnist"), tmp_path).manifest == dataset.manifest
    theirs = datasets.FashionMNIST(str(tmp_path), train=False, download=True)
    assert np.array_equal(theirs.data.numpy(), dataset.test_images[:, 0])


def test_a_file_of_fashion_mnist_without_its_checksum_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = packed(small_mnist(monkeypatch))
    name = "t10k-labels-idx1-ubyte.gz"
    write(files | {name: files[name] + b"x"}, tmp_path / RAW)
    with pytest.raises(ValueError, match=rf"^FashionMNIST/raw/{name} is not the original"):
        load(small("fashion_mnist"), tmp_path)


@pytest.mark.parametrize("form", ["folder", "archive", "download"])
def test_cifar100_is_read_with_its_fine_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    files = {f"{cifar100.FOLDER}/{n}": c for n, c in small_cifar100(monkeypatch).items()}
    archive = tar_of(files | {f"{cifar100.FOLDER}/meta": b"anything"})
    if form == "folder":
        write(files, tmp_path)
    elif form == "archive":
        (tmp_path / cifar100.PACKED).write_bytes(archive)
    monkeypatch.setattr(datasets.CIFAR100, "tgz_md5", md5_of(archive))
    with served({cifar100.PACKED: archive}) as address:
        monkeypatch.setattr(datasets.CIFAR100, "url", f"{address}{cifar100.PACKED}")
        dataset = load(small("cifar100"), tmp_path)
    assert dataset.manifest["name"] == "CIFAR-100"
    assert dataset.manifest["counts"] == {
        "train": 200, "test": 100, "validation": 3, "calibration": 4,
    }  # fmt: skip
    assert dataset.train_labels.tolist() == [*range(100)] * 2
    pixels = np.random.default_rng(100).integers(0, 256, (100, 3072), dtype=np.uint8)
    assert np.array_equal(dataset.test_images.reshape(100, 3072), pixels)


@pytest.mark.parametrize("damage", ["changed", "missing", "label"])
def test_a_file_of_cifar100_that_is_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    files = small_cifar100(monkeypatch)
    reason = "test of CIFAR-100 is missing in cifar-100-python or does not have"
    if damage == "changed":
        files["test"] += b"x"
    elif damage == "missing":
        del files["test"]
    else:
        files["test"] = batch(np.zeros((1, 3072), np.uint8), [100], coarse=True)
        monkeypatch.setitem(cifar100.FILES, "test", md5_of(files["test"]))
        reason = "test is not a CIFAR-100 batch: it has 1 labels"
    write({f"{cifar100.FOLDER}/{name}": content for name, content in files.items()}, tmp_path)
    with pytest.raises(ValueError, match=f"^{reason}"):
        load(small("cifar100"), tmp_path)


def test_a_network_of_a_hundred_classes_trains_on_cifar100(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = small_cifar100(monkeypatch)
    write({f"{cifar100.FOLDER}/{name}": content for name, content in files.items()}, tmp_path)
    dataset = load(small("cifar100"), tmp_path)
    settings = AnnSettings(network="cifar10_cnn", epochs=1, batch_size=100, threads=1)
    trained = train(settings, dataset, tmp_path / "partial")
    assert trained.module.get_submodule("classes").out_features == 100


def originals(monkeypatch: pytest.MonkeyPatch, root: Path) -> dict[str, bytes]:
    """The JPEG copy with two training and one test image a class, and one original of each class,
    which now count as all."""
    monkeypatch.setattr(cifar10_jpegs, "JPEGS_PER_CLASS", {"train": 2, "test": 1})
    monkeypatch.setattr(cifar10_original, "IMAGES", 10)
    copies, pngs = {}, {}
    for label, name in enumerate(cifar10_jpegs.CLASSES):
        image = np.full((32, 32, 3), 20 * label, np.uint8)
        for place in ("train/{}/0000", "train/{}/0001", "test/{}/0000"):
            copies[f"cifar10/{place.format(name)}.jpg"] = image_file(image, "JPEG")
        pngs[f"cifar10/test/{name}/0000.png"] = image_file(image + 1)
    (root / cifar10_jpegs.JPEGS).write_bytes(tar_of(copies))
    return pngs


def test_the_second_test_set_keeps_the_training_images_and_their_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pngs = originals(monkeypatch, tmp_path)
    (tmp_path / cifar10_original.PNGS).write_bytes(tar_of(pngs))
    first, second = (load(small(name), tmp_path) for name in ("cifar10", "cifar10_original"))
    assert second.manifest["name"] == cifar10_original.NAME
    for name in ("train_images", "train_labels", "fit", "validation", "calibration"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    assert second.test_images[:, 0, 0, 0].tolist() == [20 * label + 1 for label in range(10)]
    assert second.test_labels.tolist() == list(range(10))


@pytest.mark.parametrize("damage", ["missing", "no copy", "one image less", "in train"])
def test_a_second_test_set_that_is_not_whole_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    pngs = originals(monkeypatch, tmp_path)
    reason = f"data=cifar10_original needs {cifar10_original.PNGS} under DATA_ROOT"
    if damage == "no copy":
        (tmp_path / cifar10_jpegs.JPEGS).unlink()
        reason = f"data=cifar10_original needs {cifar10_jpegs.JPEGS} under DATA_ROOT"
    elif damage == "one image less":
        del pngs["cifar10/test/cat/0000.png"]
        reason = f"{cifar10_original.PNGS} is not the sample of CIFAR-10: 9 classes and 9 images"
    elif damage == "in train":
        pngs = {name.replace("/test/", "/train/"): content for name, content in pngs.items()}
        reason = f"{cifar10_original.PNGS} has no class in test/"
    if damage != "missing":
        (tmp_path / cifar10_original.PNGS).write_bytes(tar_of(pngs))
    with pytest.raises(ValueError, match=f"^{reason}"):
        load(small("cifar10_original"), tmp_path)


@pytest.mark.system
@pytest.mark.skipif(
    not (REAL / cifar10_original.PNGS).is_file(), reason="the originals are not in DATA_ROOT"
)
def test_the_real_originals_are_the_twins_of_their_copies() -> None:
    settings = DataSettings(name="cifar10_original", validation=5000, calibration=10000)
    dataset = load(settings, REAL)
    assert dataset.test_images.shape == (1000, 3, 32, 32)
    assert (np.bincount(dataset.test_labels, minlength=10) > 50).all()
