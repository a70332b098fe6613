"""From settings and raw files to a data set with splits and manifest."""

from collections.abc import Callable
from pathlib import Path

from ann2snn.data import cifar10, digits, folder, mnist
from ann2snn.data.dataset import HASHED, Dataset, array_sha256
from ann2snn.data.raw import Raw
from ann2snn.data.settings import DataSettings
from ann2snn.data.splits import split

SOURCES: dict[str, Callable[[DataSettings, Path], Raw]] = {
    "digits": digits.read,
    "mnist": mnist.read,
    "cifar10": cifar10.read,
    "folder": folder.read,
}


def load(settings: DataSettings, root: Path) -> Dataset:
    """The data set, read from `root` (DATA_ROOT) or downloaded there.

    Raises:
        ValueError: files are corrupt, or the splits do not fit.
        OSError: files cannot be read, or a download failed.
    """
    raw = SOURCES[settings.name](settings, root)
    fit, validation, calibration = split(
        len(raw.train_labels), settings.validation, settings.calibration, settings.seed
    )
    manifest = {
        "name": raw.name,
        "source": raw.source,
        "shape": list(raw.train_images.shape[1:]),
        "levels": raw.levels,
        "classes": list(raw.classes),
        "counts": {
            "train": len(raw.train_labels),
            "test": len(raw.test_labels),
            "validation": len(validation),
            "calibration": len(calibration),
        },
        "splits_seed": settings.seed,
        "sha256": {name: array_sha256(getattr(raw, name)) for name in HASHED},
    }
    return Dataset(
        manifest=manifest,
        train_images=raw.train_images,
        train_labels=raw.train_labels,
        test_images=raw.test_images,
        test_labels=raw.test_labels,
        fit=fit,
        validation=validation,
        calibration=calibration,
    )
