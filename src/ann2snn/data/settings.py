"""The toggles of a data set."""

from dataclasses import dataclass, fields

from ann2snn.data.source import DATA_SETS
from ann2snn.settings import SettingError, check, choice, number, text


@dataclass(frozen=True)
class DataSettings:
    """Which data set, and its splits; the defaults suit digits."""

    name: str = choice(
        "digits", tuple(DATA_SETS), "; ".join(f"{n}: {s.meaning}" for n, s in DATA_SETS.items())
    )
    path: str = text(
        "", "folder: a directory or an archive of {train,test}/{class}/image, below DATA_ROOT"
    )
    height: int = number(0, "folder: resize images to this many rows; 0 does not resize", low=0)
    width: int = number(0, "folder: resize images to this many columns; 0 does not resize", low=0)
    channels: int = number(0, "folder: 1 grey, 3 colour, 0 as the images are", low=0, high=3)
    validation: int = number(200, "training images held out to choose a recipe", low=1)
    calibration: int = number(500, "training images that activations are measured on", low=1)
    seed: int = number(0, "seed of the splits", low=0, high=10**18)

    def __post_init__(self) -> None:
        check(self)
        if self.channels == 2:
            raise SettingError("channels must be 0, 1 or 3, got 2")
        for toggle in fields(self):
            takers = [name for name, source in DATA_SETS.items() if toggle.name in source.takes]
            value, default = getattr(self, toggle.name), toggle.default
            if takers and self.name not in takers and value != default:
                raise SettingError(
                    f"{toggle.name} must be {default!r} unless data={' or '.join(takers)},"
                    f" got {value!r}"
                )
        if "path" in DATA_SETS[self.name].takes and not self.path:
            raise SettingError(f"path must be given for data={self.name}, got ''")
