"""Fashion-MNIST: pictures of clothes of 28x28 in torchvision's idx files."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings

NAME, FOLDER = "Fashion-MNIST", "FashionMNIST"
CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
# torchvision's checksums, those of the packed files
FILES = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def read(settings: "DataSettings", root: Path) -> RawImages:  # noqa: ARG001
    """The 60,000 training and 10,000 test images, from the packed files that torchvision keeps
    beside the unpacked ones; missing files are downloaded."""
    from ann2snn.data.idx_files import read_idx

    return read_idx(root, FOLDER, FILES, CLASSES, NAME)


def fingerprint(settings: "DataSettings", root: Path) -> str:  # noqa: ARG001
    return "idx" if (root / FOLDER / "raw" / next(iter(FILES))).is_file() else ""


DATA_SETS.add(
    DataSource("fashion_mnist", "60,000 clothes of 28x28 pixels", read, fingerprint, (NAME,))
)
