"""Images and labels as a source gives them, before splits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Raw:
    """Whole-number pixels (N, C, H, W) of at most `levels`, labels (N,), and what to call them."""

    name: str
    source: str
    classes: tuple[str, ...]
    levels: int
    train_images: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.int64]
