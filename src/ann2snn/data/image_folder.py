"""Images sorted into {train,test}/{class}/image, as arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ann2snn.data.archives import LARGEST_TOTAL, Member, members
from ann2snn.data.image_file import pixels
from ann2snn.data.source import RawImages

LAYOUT = "{train,test}/{class}/image"
PARTS = ("train", "test")
# What systems leave in folders and archives; whatever begins with a dot is left out as well.
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
    for member in members(path):
        place = collection.place(member)
        if place is not None and member.content is not None:
            image = pixels(
                member.content(), member.name, channels=channels, height=height, width=width
            )
            collection.add(place, member.name, image)
    classes = collection.checked_classes()
    return RawImages(
        name, source, classes, 255, *collection.take("train"), *collection.take("test")
    )


class _Collection:
    """What a walk through the members of `source` has met so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.home: tuple[str, ...] | None = None
        self.classes: dict[str, set[str]] = {part: set() for part in PARTS}
        self.images: dict[tuple[str, str, str], npt.NDArray[np.uint8]] = {}
        self.first: tuple[str, tuple[int, ...]] | None = None
        self.total = 0

    def place(self, member: Member) -> tuple[str, str, str] | None:
        """Part, class and file name of an image; None for what is none. Notes classes."""
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
            raise ValueError(_misfit(name, image.shape, *self.first))
        self.total += image.nbytes
        if self.total > LARGEST_TOTAL:
            raise ValueError(
                f"{self.source} holds more than {LARGEST_TOTAL / 2**30:g} GiB of pixels"
            )
        self.images[place] = image

    def checked_classes(self) -> tuple[str, ...]:
        """The classes, sorted, after all that can be wrong with them was looked at."""
        for part in PARTS:
            if not self.classes[part]:
                raise ValueError(f"{self.source} has no class in {part}/; images lie in {LAYOUT}")
        for part, other in (PARTS, PARTS[::-1]):
            for name in sorted(self.classes[part] - self.classes[other]):
                raise ValueError(f"{self.source}: class {name!r} is in {part}/ but not in {other}/")
        filled = {place[:2] for place in self.images}
        classes = tuple(sorted(self.classes["train"]))
        for part, name in ((part, name) for part in PARTS for name in classes):
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


def _misfit(name: str, shape: tuple[int, ...], other: str, wanted: tuple[int, ...]) -> str:
    if shape[0] != wanted[0]:
        return f"{name} has {shape[0]} channels, {other} {wanted[0]}; give data.channels=1 or 3"
    return (
        f"{name} is {shape[1]} high and {shape[2]} wide, {other} {wanted[1]} and {wanted[2]};"
        " give data.height and data.width"
    )
