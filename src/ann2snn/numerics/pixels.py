"""Images as whole numbers k that stand for pixels k / levels."""

from typing import Any

import numpy as np
import numpy.typing as npt

FLOAT_LEVELS = 1 << 16
LARGEST = 2.0**31  # of a float pixel: its whole number then fits float64 and int64 without loss
FAR = 16.0  # times the largest pixel of calibration: another unit, not a brighter image


def whole_numbers(
    images: npt.NDArray[Any], levels: int | None, what: str = "images"
) -> tuple[npt.NDArray[Any], int]:
    """Images as whole numbers k, and the levels that they count in; floats are rounded to multiples
    of 2^-16.

    Raises:
        ValueError: whole numbers other than uint8 come without levels, floats with them, or a pixel
            is no finite number.
    """
    if np.issubdtype(images.dtype, np.floating):
        if levels is not None:
            raise ValueError(f"levels={levels} is for images of whole numbers, got {images.dtype}")
        images = images.astype(np.float64, copy=False)
        wrong = np.argwhere(~(np.abs(images) <= LARGEST))  # a NaN is not smaller either
        if len(wrong):
            place, value = wrong[0], images[tuple(wrong[0])]
            raise ValueError(
                f"{what} must be finite numbers of at most 2^31, got {value} in image {place[0]}"
            )
        return np.rint(images * FLOAT_LEVELS).astype(np.int64), FLOAT_LEVELS
    if not np.issubdtype(images.dtype, np.integer):
        raise ValueError(f"{what} must be whole numbers or floats, got {images.dtype}")
    if levels is None and images.dtype != np.uint8:
        raise ValueError(f"images of {images.dtype} need levels: pixels are k / levels")
    return images, 255 if levels is None else levels
