"""The archive of CIFAR-10's images as JPEGs."""

from pathlib import Path

from ann2snn.data.source import RawImages

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer",
    "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
COPY = "CIFAR-10 (JPEG copy)"
JPEGS = "cifar10-jpg.tar.gz"
JPEGS_PER_CLASS = {"train": 5000, "test": 1000}


def jpeg_copy(path: Path) -> RawImages:
    """The images of the archive of JPEGs.

    Raises:
        ValueError: it is not whole.
    """
    import numpy as np

    from ann2snn.data.image_folder import labelled_images

    source = f"{JPEGS}: the images as JPEGs at quality 75, by class and name"
    found = labelled_images(path, COPY, source)
    counts = {"train": np.bincount(found.train_labels), "test": np.bincount(found.test_labels)}
    whole = all((counts[part] == count).all() for part, count in JPEGS_PER_CLASS.items())
    if found.classes != CLASSES or not whole or found.train_images.shape[1:] != (3, 32, 32):
        raise ValueError(
            f"{JPEGS} is not the whole of CIFAR-10: {len(found.classes)} classes,"
            f" {len(found.train_labels)} training and {len(found.test_labels)} test images of"
            f" {found.train_images.shape[1:]} instead of 10, 50000, 10000 and (3, 32, 32);"
            " copy it again"
        )
    return found
