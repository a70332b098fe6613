"""scikit-learn's handwritten digits: 1,797 images of 8x8, which come with the package."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings

TEST_SEED = 0
TEST_IMAGES = 360


def read(settings: "DataSettings", root: Path) -> RawImages:  # noqa: ARG001
    """1,437 training and 360 test images; scikit-learn has no split of its own, so a fixed
    stratified one is drawn."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    content = load_digits()
    images = content.images.astype(np.uint8)[:, None]
    labels = content.target.astype(np.int64)
    train, test = train_test_split(
        np.arange(len(labels)), test_size=TEST_IMAGES, random_state=TEST_SEED, stratify=labels
    )
    train, test = np.sort(train), np.sort(test)
    return RawImages(
        name="digits",
        source="scikit-learn's load_digits; 360 test images by a fixed stratified split",
        classes=tuple("0123456789"),
        levels=16,
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )


DATA_SETS.add(
    DataSource(
        name="digits",
        meaning="scikit-learn's digits of 8x8 pixels",
        read=read,
        fingerprint=lambda settings, root: "scikit-learn",  # noqa: ARG005
        manifest_names=("digits",),
    )
)
