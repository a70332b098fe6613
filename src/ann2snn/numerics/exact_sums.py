"""Numbers of which any sum is exact, whatever its order: multiples of a power of two, few enough of
them for the bits of a format."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

BITS = {"float32": 24, "int32": 31, "float64": 53}  # whole numbers below 2^bits are exact
FINEST = 60
GRID = 2.0**20  # units of rates and activations in one; of their squares
SQUARES = 2.0**30


def fractional_bits(array: np.ndarray) -> int:
    """The least k for which every element is a multiple of 2^-k; at most 60."""
    units = np.abs(array[array != 0]).ravel()
    if units.size == 0:
        return 0
    mantissa, exponent = np.frexp(units)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int(min(max(0, (53 - exponent - trailing).max()), FINEST))


def on_grid(array: np.ndarray, grid: int) -> bool:
    """Whether every element is a multiple of 2^-grid."""
    units = np.ldexp(array, grid)
    return bool((units == np.rint(units)).all())


def rounded(values: Reals, grid: int | None) -> Reals:
    """The nearest multiples of 2^-grid, half to even; None leaves the values as they are."""
    return values if grid is None else np.rint(values * 2.0**grid) / 2.0**grid
