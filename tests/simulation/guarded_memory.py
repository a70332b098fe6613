"""Guards before and behind the arrays that the event engine's kernels write unchecked."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import numpy as np

from ann2snn.simulation.event import arena
from ann2snn.simulation.event import threads as event

GUARD = 2**16
MARK = 0xA5


@contextmanager
def guarded_memory() -> Iterator[None]:
    """Fails at its end where a network that was lowered inside it wrote beside its arrays."""
    kept: list[tuple[np.ndarray, int, int]] = []

    def aligned(size: int, dtype: np.dtype | str) -> np.ndarray:
        dtype = np.dtype(dtype)
        length = size * dtype.itemsize
        memory = np.full(length + arena.LINE + 2 * GUARD, MARK, np.uint8)
        start = GUARD + -memory.ctypes.data % arena.LINE
        memory[start : start + length] = 0
        kept.append((memory, start, start + length))
        return memory[start : start + length].view(dtype)

    event._lowered.cache_clear()
    try:
        with (
            mock.patch.object(arena, "aligned", aligned),
            mock.patch.object(event, "aligned", aligned),
        ):
            yield
    finally:
        event._lowered.cache_clear()
    assert kept
    for memory, start, stop in kept:
        beside = np.flatnonzero(np.r_[memory[:start], memory[stop:]] != MARK)
        assert not len(beside), (
            f"an array of {stop - start} bytes has {len(beside)} bytes written beside it"
        )
