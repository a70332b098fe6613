"""Long arrays in which many small ones lie, each on a border of 64 bytes (a cache line)."""

import numpy as np

LINE = 64


class Arena:
    """Gives room and remembers what is put there; `array` is made once all room is given."""

    def __init__(self, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.size = 0
        self._parts: list[tuple[int, np.ndarray]] = []

    def room(self, count: int) -> int:
        """The place of `count` zeros."""
        place, line = self.size, LINE // self.dtype.itemsize
        self.size += -(-count // line) * line
        return place

    def put(self, values: np.ndarray) -> int:
        """The place of `values`, in row-major order."""
        place = self.room(values.size)
        self._parts.append((place, values))
        return place

    def array(self) -> np.ndarray:
        """All of it."""
        whole = aligned(self.size, self.dtype)
        for place, values in self._parts:
            whole[place : place + values.size] = values.ravel()
        return whole


def aligned(size: int, dtype: np.dtype | str) -> np.ndarray:
    """Zeros whose first lies on a border of 64 bytes."""
    dtype = np.dtype(dtype)
    raw = np.zeros(size * dtype.itemsize + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size * dtype.itemsize].view(dtype)
