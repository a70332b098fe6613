"""CIFAR-100: torchvision's files, with the 100 fine labels."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.data.source import DATA_SETS, DataSource, RawImages

if TYPE_CHECKING:
    from ann2snn.data.settings import DataSettings

NAME = "CIFAR-100"
FOLDER = "cifar-100-python"
PACKED = "cifar-100-python.tar.gz"
# torchvision's checksums, as for CIFAR-10
FILES = {
    "train": "16019d7e3df5f24257cddd939b257f8d",
    "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
}
CLASSES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle",
    "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
)  # fmt: skip


def read(settings: "DataSettings", root: Path) -> RawImages:
    """The 50,000 training and 10,000 test images of torchvision's folder or its packed download,
    which is fetched if neither is there.

    Raises:
        ValueError: a file is not the original one.
        OSError: the download failed.
    """
    from ann2snn.data.cifar_files import read_files
    from ann2snn.data.download import fetch

    if not fingerprint(settings, root):
        from torchvision.datasets import CIFAR100

        fetch([CIFAR100.url], CIFAR100.tgz_md5, root / PACKED, f"{PACKED} or {FOLDER}")
    path = root / FOLDER if (root / FOLDER).exists() else root / PACKED
    train, test = read_files(path, NAME, [{name: FILES[name]} for name in FILES], len(CLASSES))
    return RawImages(NAME, "files of torchvision.datasets.CIFAR100", CLASSES, 255, *train, *test)


def fingerprint(settings: "DataSettings", root: Path) -> str:  # noqa: ARG001
    return "files" if (root / FOLDER).exists() or (root / PACKED).exists() else ""


DATA_SETS.add(
    DataSource(
        "cifar100", "60,000 photographs of 32x32 pixels in 100 classes", read, fingerprint, (NAME,)
    )
)
