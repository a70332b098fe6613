"""Numbers of which any sum is exact, whatever its order: multiples of a power of two, few enough of
them for the bits of a format."""

from collections.abc import Iterator
from typing import Any

import numpy as np

BITS = {"float32": 24, "int32": 31, "float64": 53}  # whole numbers below 2^bits are exact
FINEST = 60
GRID = 2.0**20  # units of rates and activations in one; of their squares
SQUARES = 2.0**30
PART = 1 << 16  # elements


def fractional_bits(array: np.ndarray) -> int:
    """The least k for which every element is a multiple of 2^-k; at most 60."""
    found = 0
    for part in parts(array.reshape(-1)):
        if not on_grid(part, found):
            found = min(_bits(part), FINEST)
    return found


def _bits(array: np.ndarray) -> int:
    mantissa, exponent = np.frexp(np.abs(array[array != 0]))
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int((53 - exponent - trailing).max())


def on_grid(array: np.ndarray, grid: int) -> bool:
    """Whether every element is a multiple of 2^-grid."""
    with np.errstate(over="ignore"):  # what overflows is a whole number
        units = (np.ldexp(part, grid) for part in parts(array.reshape(-1)))
        return all((part == np.rint(part)).all() for part in units)


def parts(array: np.ndarray) -> Iterator[np.ndarray]:
    """The array in parts along its first axis, each so small that what is computed of it stays in
    the core's cache: all at once, the weights of a large layer would take gigabytes."""
    rows = max(1, PART * len(array) // max(1, array.size))
    return (array[first : first + rows] for first in range(0, len(array), rows))


def rounded(values: Any, grid: int | None) -> Any:
    """The nearest multiples of 2^-grid, half to even, of an array or tensor; None leaves them."""
    return values if grid is None else (values * 2.0**grid).round() / 2.0**grid
