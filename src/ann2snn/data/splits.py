"""Which training images fit, validate and calibrate."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def split(
    count: int, validation: int, calibration: int, seed: int
) -> tuple[Indices, Indices, Indices]:
    """Indices, sorted, to fit on, to validate on and to calibrate with, by one seeded permutation.

    Fit and validation are all of `count`; calibration is a part of fit.

    Raises:
        ValueError: they do not fit into the training images.
    """
    if validation + calibration > count:
        raise ValueError(
            f"data.validation {validation} and data.calibration {calibration} must fit into the"
            f" {count} training images together"
        )
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count).astype(np.int64)
    fit = order[validation:]
    return np.sort(fit), np.sort(order[:validation]), np.sort(fit[:calibration])
