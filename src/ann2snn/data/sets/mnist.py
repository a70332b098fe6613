"""MNIST: handwritten digits of 28x28 in torchvision's idx files."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings

# md5 of the uncompressed files; torchvision's own checksums are those of the .gz files.
FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def read(settings: "DataSettings", root: Path) -> RawImages:  # noqa: ARG001
    """The 60,000 training and 10,000 test images; missing files are downloaded."""
    from ann2snn.data.idx_files import read_idx

    return read_idx(root, "MNIST", FILES, tuple("0123456789"), "MNIST")


def fingerprint(settings: "DataSettings", root: Path) -> str:  # noqa: ARG001
    return "idx" if any((root / "MNIST" / "raw").glob("train-images-idx3-ubyte*")) else ""


DATA_SETS.add(
    DataSource("mnist", "60,000 handwritten digits of 28x28 pixels", read, fingerprint, ("MNIST",))
)
