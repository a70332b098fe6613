"""Data sets: one row per data set, which says everything that other code needs to know of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.tables import Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ann2snn.data.settings import DataSettings


@dataclass(frozen=True)
class RawImages:
    """Images (N, C, H, W) of whole numbers up to `levels` and labels (N,), before any split."""

    name: str
    source: str
    classes: tuple[str, ...]
    levels: int
    train_images: "npt.NDArray[np.uint8]"
    train_labels: "npt.NDArray[np.int64]"
    test_images: "npt.NDArray[np.uint8]"
    test_labels: "npt.NDArray[np.int64]"


@dataclass(frozen=True)
class DataSource:
    """A data set by the `name` of its toggle value.

    `read(settings, root)` gives the images from the folder `root` (DATA_ROOT) or downloads them
    there. `fingerprint(settings, root)` is a word or hash of the raw data under `root`, taken from
    names, sizes and times alone; it is empty if they are not there. `manifest_names` are the exact
    names that manifests of this data set can bear; a data set without any is named by its user.
    `takes` lists the toggles that only some data sets have.
    """

    name: str
    meaning: str
    read: Callable[["DataSettings", Path], RawImages]
    fingerprint: Callable[["DataSettings", Path], str]
    manifest_names: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


DATA_SETS: Table[DataSource] = Table("data set", "ann2snn.data.sets")


def fingerprint(settings: "DataSettings", root: Path) -> str:
    """The fingerprint of the raw data under `root`.

    It decides only whether data that were loaded before may be used again; results are keyed by
    the manifest, which hashes every pixel.
    """
    return DATA_SETS[settings.name].fingerprint(settings, root)
