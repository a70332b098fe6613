"""A second test set for networks of the JPEG copy of CIFAR-10: 1,000 of the original test images,
pixel by pixel those that papers report on."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.cifar10_jpegs import CLASSES, JPEGS, jpeg_copy
from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings

NAME = "CIFAR-10 (1,000 original test images)"
PNGS = "cifar10-original-test-1000.tar.gz"
IMAGES = 1000


def read(settings: "DataSettings", root: Path) -> RawImages:  # noqa: ARG001
    """The training images of the JPEG copy, so that splits and networks are the same, and the
    original pixels of 1,000 test images.

    Raises:
        ValueError: an archive is not there, or not whole.
    """
    from ann2snn.data.image_folder import labelled_part

    for name in (JPEGS, PNGS):
        if not (root / name).is_file():
            raise ValueError(f"data=cifar10_original needs {name} under DATA_ROOT")
    images, labels, classes = labelled_part(root / PNGS, "test")
    if classes != CLASSES or len(labels) != IMAGES or images.shape[1:] != (3, 32, 32):
        raise ValueError(
            f"{PNGS} is not the sample of CIFAR-10: {len(classes)} classes and {len(labels)} images"
            f" of {images.shape[1:]} instead of 10, {IMAGES} and (3, 32, 32); copy it again"
        )
    source = f"training images: {JPEGS}; test images: {PNGS}, lossless"
    copy = jpeg_copy(root / JPEGS)
    return replace(copy, name=NAME, source=source, test_images=images, test_labels=labels)


def fingerprint(settings: "DataSettings", root: Path) -> str:  # noqa: ARG001
    there = all((root / name).is_file() for name in (JPEGS, PNGS))
    return "jpeg and png" if there else ""


DATA_SETS.add(
    DataSource(
        "cifar10_original",
        "CIFAR-10's JPEG copy, tested on 1,000 of the original test images",
        read,
        fingerprint,
        (NAME,),
    )
)
