"""CIFAR-10: torchvision's batches, or an archive of the same images as JPEGs."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.cifar10_jpegs import CLASSES, COPY, JPEGS, jpeg_copy
from ann2snn.data.download import fetch
from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings

NAME = "CIFAR-10"
FOLDER = "cifar-10-batches-py"
PACKED = "cifar-10-python.tar.gz"
# torchvision's checksums, kept here so that files already there are read without loading torch.
TRAIN_BATCHES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
TEST_BATCHES = {"test_batch": "40351d587109b95175f43aff81a1287e"}


def read(settings: "DataSettings", root: Path) -> RawImages:
    """The 50,000 training and 10,000 test images; the original wins over the JPEG copy.

    The original is torchvision's folder of batches or its packed download. If neither the original
    nor the copy is there, the original is downloaded.

    Raises:
        ValueError: a file is not the original one, or the copy is not whole.
        OSError: the download failed.
    """
    from ann2snn.data.cifar_files import read_files

    there = fingerprint(settings, root)
    if there == "jpeg":
        return jpeg_copy(root / JPEGS)
    if not there:
        from torchvision.datasets import CIFAR10

        by_hand = f"{PACKED}, {FOLDER} or {JPEGS}"
        fetch([CIFAR10.url], CIFAR10.tgz_md5, root / PACKED, by_hand)
    path = root / FOLDER if (root / FOLDER).exists() else root / PACKED
    train, test = read_files(path, NAME, [TRAIN_BATCHES, TEST_BATCHES], len(CLASSES))
    return RawImages(NAME, "batches of torchvision.datasets.CIFAR10", CLASSES, 255, *train, *test)


def fingerprint(settings: "DataSettings", root: Path) -> str:  # noqa: ARG001
    if (root / FOLDER).exists() or (root / PACKED).exists():
        return "batches"
    return "jpeg" if (root / JPEGS).is_file() else ""


DATA_SETS.add(
    DataSource("cifar10", "60,000 photographs of 32x32 pixels", read, fingerprint, (NAME, COPY))
)
