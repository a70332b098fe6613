"""Images sorted into {train,test}/{class}/image, as arrays."""

from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ann2snn.data.archives import LARGEST_TOTAL, Member, members
from ann2snn.data.image_file import pixels
from ann2snn.data.source import RawImages

LAYOUT = "{train,test}/{class}/image"
PARTS = ("train", "test")
# Systems leave these in folders and archives; names that begin with a dot are left out as well.
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")


def labelled_images(
    path: Path, name: str, source: str, *, channels: int = 0, height: int = 0, width: int = 0
) -> RawImages:
    """The images of a directory or an archive in the order of class, then file name. The layout
    may lie in one folder of its own.

    Files beside train/ and test/ and litter of the system (hidden files) are left out; anything
    else in another place than the layout's is refused.

    Raises:
        ValueError: the layout is another, an image cannot be read, or images differ in shape.
    """
    collection = _Collection(path.name)
    collection.read(path, channels=channels, height=height, width=width)
    classes = collection.checked_classes(PARTS)
    return RawImages(
        name, source, classes, 255, *collection.take("train"), *collection.take("test")
    )


def labelled_part(
    path: Path, part: str
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], tuple[str, ...]]:
    """Images, labels and classes of one part, as `labelled_images` gives them.

    Raises:
        ValueError: as for `labelled_images`.
    """
    collection = _Collection(path.name)
    collection.read(path)
    classes = collection.checked_classes((part,))
    return *collection.take(part), classes


class _Collection:
    """The classes and images that a walk through the members of `source` has met so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.home: tuple[str, ...] | None = None
        self.classes: dict[str, set[str]] = {part: set() for part in PARTS}
        self.images: dict[tuple[str, str, str], npt.NDArray[np.uint8]] = {}
        self.first: tuple[str, tuple[int, ...]] | None = None
        self.total = 0

    def read(self, path: Path, *, channels: int = 0, height: int = 0, width: int = 0) -> None:
        """Takes all images of a directory or an archive."""
        for member in members(path):
            place = self.place(member)
            if place is not None and member.content is not None:
                image = pixels(
                    member.content(), member.name, channels=channels, height=height, width=width
                )
                self.add(place, member.name, image)

    def place(self, member: Member) -> tuple[str, str, str] | None:
        """Part, class and file name of an image; None for other members. Notes classes."""
        parts = member.parts
        if any(part.startswith(".") or part in LITTER for part in parts):
            return None
        depth = next((depth for depth, part in enumerate(parts[:2]) if part in PARTS), None)
        if depth is None:
            return None
        home, inner = parts[:depth], parts[depth:]
        if self.home not in (None, home):
            raise ValueError(
                f"{self.source} has train/ or test/ in more than one folder: {member.name!r}"
            )
        self.home = home
        if member.content is None and len(inner) < 3:
            self.classes[inner[0]].update(inner[1:])
            return None
        if member.content is None or len(inner) != 3:
            raise ValueError(
                f"{self.source}: {member.name!r} is out of place; images lie in {LAYOUT}"
            )
        part, name, file = inner
        self.classes[part].add(name)
        return part, name, file

    def add(self, place: tuple[str, str, str], name: str, image: npt.NDArray[np.uint8]) -> None:
        self.first = self.first or (name, image.shape)
        if image.shape != self.first[1]:
            raise ValueError(
                f"{name} has channels, height and width {image.shape}, {self.first[0]}"
                f" {self.first[1]}; give data.channels, data.height or data.width"
            )
        self.total += image.nbytes
        if self.total > LARGEST_TOTAL:
            raise ValueError(
                f"{self.source} holds more than {LARGEST_TOTAL / 2**30:g} GiB of pixels"
            )
        self.images[place] = image

    def checked_classes(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """The classes, sorted; each holds images in all of `parts`."""
        for part in parts:
            if not self.classes[part]:
                raise ValueError(f"{self.source} has no class in {part}/; images lie in {LAYOUT}")
        classes = tuple(sorted(self.classes["train"] | self.classes["test"]))
        filled = {place[:2] for place in self.images}
        for part, name in product(parts, classes):
            if (part, name) not in filled:
                raise ValueError(f"{self.source}: {part}/{name} holds no image")
        if len(classes) < 2:
            raise ValueError(f"{self.source} has one class, {classes[0]!r}; it takes at least two")
        return classes

    def take(self, part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Images and labels of a part; each image is let go once it is copied."""
        label = {name: index for index, name in enumerate(sorted(self.classes[part]))}
        places = sorted(place for place in self.images if place[0] == part)
        images = np.empty((len(places), *self.images[places[0]].shape), np.uint8)
        for index, place in enumerate(places):
            images[index] = self.images.pop(place)
        return images, np.array([label[name] for _, name, _ in places], np.int64)
