"""Where the units of a signal lie: pixels one after another, the channels of each together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ann2snn.simulation.event.operations import WORD, padded, words_of

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where a signal of `shape` lies: pixels of channels, channels last."""

    rows: int
    columns: int
    channels: int

    @staticmethod
    def of(shape: tuple[int, ...]) -> "Layout":
        return Layout(shape[1], shape[2], shape[0]) if len(shape) == 3 else Layout(1, 1, shape[0])

    @property
    def pixels(self) -> int:
        return self.rows * self.columns

    @property
    def width(self) -> int:
        return padded(self.channels)

    @property
    def words(self) -> int:
        return words_of(self.channels)

    def places(self, stride: int) -> Numbers:
        """The place of each unit, in (channel, row, column) order, with `stride` units a pixel."""
        channel, pixel = np.divmod(np.arange(self.channels * self.pixels), self.pixels)
        return pixel * stride + channel

    def filled(self, array: np.ndarray) -> np.ndarray:
        """Values (channels, rows, columns) or (features,) as the kernels keep them, flat."""
        values = np.zeros((self.pixels, self.width), array.dtype)
        values[:, : self.channels] = array.reshape(self.channels, self.pixels).T
        return values.ravel()


def bit_tables(words: int, taken: Numbers, places: Numbers) -> tuple[Numbers, Numbers]:
    """A mask for each of `words` with the bits `taken`, and for each bit of these words its place
    of `places`; 0 for those that are not taken."""
    chosen, to = np.zeros(words * WORD, np.bool_), np.zeros(words * WORD, np.int64)
    chosen[taken], to[taken] = True, places
    return np.packbits(chosen, bitorder="little").view("<i8"), to
