"""The toggles of a data set."""

from dataclasses import dataclass

from ann2snn.settings import SettingError, check, choice, number, text

NAMES = ("digits", "mnist", "cifar10", "folder")


@dataclass(frozen=True)
class DataSettings:
    """Which data set, and its splits; the defaults suit digits."""

    name: str = choice("digits", NAMES, "the data set")
    path: str = text("", "folder: a directory or an archive of {train,test}/{class}/image")
    height: int = number(0, "folder: rows that images are resized to; 0 leaves them", low=0)
    width: int = number(0, "folder: columns that images are resized to; 0 leaves them", low=0)
    channels: int = number(0, "folder: 1 grey, 3 colour, 0 as they are", low=0, high=3)
    validation: int = number(200, "training images held out to choose a recipe", low=1)
    calibration: int = number(500, "training images that activations are measured on", low=1)
    seed: int = number(0, "of the splits", low=0)

    def __post_init__(self) -> None:
        check(self)
        if self.channels == 2:
            raise SettingError("channels must be 0, 1 or 3, got 2")
        if (self.name == "folder") != bool(self.path):
            raise SettingError(f"path must be given for data=folder alone, got {self.path!r}")
        for name in ("height", "width", "channels"):
            if self.name != "folder" and getattr(self, name) != 0:
                raise SettingError(
                    f"{name} must be 0 unless data=folder, got {getattr(self, name)!r}"
                )
