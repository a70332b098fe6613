"""A data set as arrays with fixed splits: loaded from raw images, saved, and opened again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ann2snn.data.settings import DataSettings
from ann2snn.data.source import DATA_SETS
from ann2snn.data.splits import split
from ann2snn.numerics.atomic_files import whole_file

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
HASHED = ("train_images", "train_labels", "test_images", "test_labels")
ARRAYS = (*HASHED, "fit", "validation", "calibration")
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Dataset:
    """Images (N, C, H, W) as whole numbers k that stand for pixels k / levels, and labels (N,).

    `fit` and `validation` are the indices into train that a recipe is chosen with; `calibration` is
    a part of `fit`.
    """

    manifest: Mapping[str, Any]
    train_images: Images
    train_labels: Indices
    test_images: Images
    test_labels: Indices
    fit: Indices
    validation: Indices
    calibration: Indices

    @property
    def levels(self) -> int:
        return int(self.manifest["levels"])


def array_sha256(array: npt.NDArray[Any]) -> str:
    """sha256 of an array's elements in row-major order, little-endian."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()


def load(settings: DataSettings, root: Path) -> Dataset:
    """The data set, read from `root` (DATA_ROOT) or downloaded there.

    Raises:
        ValueError: files are corrupt, or the splits do not fit.
        OSError: files cannot be read, or a download failed.
    """
    source = DATA_SETS[settings.name]
    raw = source.read(settings, root)
    if source.manifest_names and raw.name not in source.manifest_names:
        raise ValueError(
            f"the manifest's name of data set {settings.name} must be one of"
            f" {', '.join(source.manifest_names)}, got {raw.name!r}"
        )
    fit, validation, calibration = split(
        len(raw.train_labels), settings.validation, settings.calibration, settings.seed
    )
    arrays = {name: getattr(raw, name) for name in HASHED}
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
        "sha256": {name: array_sha256(array) for name, array in arrays.items()},
    }
    return Dataset(manifest, **arrays, fit=fit, validation=validation, calibration=calibration)


def save(dataset: Dataset, folder: Path) -> None:
    """Writes the arrays as .npy files, then the manifest, without which `folder` is no data set.

    Raises:
        ValueError: the arrays are not those that the manifest describes.
    """
    for name in HASHED:
        if array_sha256(getattr(dataset, name)) != dataset.manifest["sha256"][name]:
            raise ValueError(f"{name} has changed since the manifest was made: load the data anew")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in ARRAYS:
        with whole_file(folder / f"{name}.npy") as path, path.open("wb") as file:
            np.save(file, getattr(dataset, name), allow_pickle=False)
    with whole_file(folder / MANIFEST) as path:
        text = json.dumps(dataset.manifest, indent=1, sort_keys=True) + "\n"
        path.write_text(text, encoding="utf-8")


def open_saved(folder: Path) -> Dataset:
    """The data set that `save` wrote, its arrays mapped from disk.

    Raises:
        ValueError: `folder` is none, or not whole.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ARRAYS
        }
        counts = manifest["counts"]
        expected = {name: counts[name.partition("_")[0]] for name in HASHED}
        expected |= {name: counts[name] for name in ("validation", "calibration")}
        expected["fit"] = counts["train"] - counts["validation"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is not a saved data set ({error}); remove it and it will be made again"
        ) from error
    for name, length in expected.items():
        if len(arrays[name]) != length:
            raise ValueError(
                f"{folder} holds {len(arrays[name])} {name}, its manifest says {length};"
                " remove it and it will be made again"
            )
    return Dataset(manifest=manifest, **arrays)
