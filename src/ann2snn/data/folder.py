"""A user's own data set: {train,test}/{class}/image in a directory or an archive."""

import os
from pathlib import Path

from ann2snn.data.labelled import labelled_images
from ann2snn.data.members import ENDINGS
from ann2snn.data.raw import Raw
from ann2snn.data.settings import DataSettings

# Names that stand for one exact data set in reports.
TAKEN = ("digits", "MNIST", "CIFAR-10", "CIFAR-10 (JPEG copy)")


def read(settings: DataSettings, root: Path) -> Raw:
    """All images of the directory or archive `settings.path`, taken from `root` if relative.

    Raises:
        ValueError: it is not there, its layout is another, an image cannot be read, or shapes
            differ.
    """
    path = Path(os.path.normpath(root / settings.path))
    if not path.exists():
        raise ValueError(
            f"data.path {settings.path!r} is neither a directory nor a file; a relative path"
            " begins at DATA_ROOT"
        )
    found = labelled_images(
        path, channels=settings.channels, height=settings.height, width=settings.width
    )
    resized = ", resized" if settings.height or settings.width else ""
    return Raw(
        name=data_set_name(path),
        source=f"a folder of images{resized}",
        classes=found.classes,
        levels=255,
        train_images=found.train_images,
        train_labels=found.train_labels,
        test_images=found.test_images,
        test_labels=found.test_labels,
    )


def data_set_name(path: Path) -> str:
    """What a folder's or an archive's data set is called: never as one that reports know."""
    name = path.name
    for ending in ENDINGS:
        if not path.is_dir() and name.lower().endswith(ending):
            name = name[: -len(ending)]
            break
    return f"{name} (folder)" if name in TAKEN else name
