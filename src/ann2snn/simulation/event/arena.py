"""Long arrays in which many small ones lie, each on a border of 64 bytes (a cache line)."""

from collections.abc import Callable

import numpy as np

LINE = 64


class Arena:
    """Gives room and remembers what is put there; `array` is made once all room is given."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.size = 0
        self._parts: list[tuple[int, int, Callable[[np.ndarray], None]]] = []

    def room(self, count: int) -> int:
        """The place of `count` zeros."""
        place, line = self.size, LINE // self.dtype.itemsize
        self.size += -(-count // line) * line
        return place

    def put(self, values: np.ndarray) -> int:
        """The place of `values`, in row-major order."""

        def write(room: np.ndarray) -> None:
            room[:] = values.ravel()

        return self.written(values.size, write)

    def written(self, count: int, write: Callable[[np.ndarray], None]) -> int:
        """The place of `count` numbers that `write` puts into the zeros it is given."""
        place = self.room(count)
        self._parts.append((place, count, write))
        return place

    def array(self) -> np.ndarray:
        """All of it."""
        whole = aligned(self.size, self.dtype)
        for place, count, write in self._parts:
            write(whole[place : place + count])
        return whole


def aligned(size: int, dtype: np.dtype | str) -> np.ndarray:
    """Zeros whose first lies on a border of 64 bytes."""
    dtype = np.dtype(dtype)
    raw = np.zeros(size * dtype.itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * dtype.itemsize].view(dtype)
