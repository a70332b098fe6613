"""scikit-learn's handwritten digits: 1,797 images of 8x8, which come with the package."""

from pathlib import Path

import numpy as np

from ann2snn.data.raw import Raw
from ann2snn.data.settings import DataSettings

TEST_SEED = 0
TEST_IMAGES = 360


def read(settings: DataSettings, root: Path) -> Raw:  # noqa: ARG001
    """1,437 training and 360 test images; scikit-learn has no split of its own, so a fixed
    stratified one is drawn."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    content = load_digits()
    images = content.images.astype(np.uint8)[:, None]
    labels = content.target.astype(np.int64)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_IMAGES, random_state=TEST_SEED, stratify=labels
    )
    train, test = np.sort(train), np.sort(test)
    return Raw(
        name="digits",
        source="scikit-learn's load_digits; 360 test images by a fixed stratified split",
        classes=tuple(str(digit) for digit in range(10)),
        levels=16,
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )
