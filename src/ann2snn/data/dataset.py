"""A data set as arrays with fixed splits, and its saved form."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
ARRAYS = (
    "train_images", "train_labels", "test_images", "test_labels",
    "fit", "validation", "calibration",
)  # fmt: skip


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


def array_sha256(array: np.ndarray) -> str:
    """sha256 of an array's elements in row-major order, little-endian."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).data).hexdigest()


def split(count: int, validation: int, calibration: int, seed: int) -> tuple[Indices, ...]:
    """Indices to fit on, to validate on and to calibrate with, by one seeded permutation.

    Raises:
        ValueError: they leave nothing to fit on.
    """
    if validation + calibration > count or validation >= count:
        raise ValueError(
            f"validation {validation} and calibration {calibration} must fit into the {count}"
            " training images"
        )
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count).astype(np.int64)
    fit = order[validation:]
    return np.sort(fit), np.sort(order[:validation]), np.sort(fit[:calibration])


def save(dataset: Dataset, folder: Path) -> None:
    """Writes the arrays as .npy files and the manifest as JSON."""
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(dataset, name), allow_pickle=False)
    text = json.dumps(dataset.manifest, indent=1, sort_keys=True)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def open_saved(folder: Path) -> Dataset:
    """The data set that `save` wrote, its arrays mapped from disk."""
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in ARRAYS
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Dataset(manifest=manifest, **arrays)
