"""What a user hands in as an array: numpy's, a tensor of any device, with gradients or without."""

from typing import Any

import numpy as np


def as_array(values: Any) -> np.ndarray:
    """The values as a numpy array; bfloat16 becomes float32, which loses nothing."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":
            values = values.float()
        return np.asarray(values.numpy())
    return np.asarray(values)


def as_classes(values: Any, images: int, what: str) -> np.ndarray:
    """The values as one class for each image.

    Raises:
        ValueError: they are not whole numbers (images,).
    """
    found = as_array(values)
    if found.shape != (images,) or not np.issubdtype(found.dtype, np.integer):
        cure = "; of outputs take .argmax(1)" if found.ndim == 2 else ""
        raise ValueError(
            f"{what} must be the class of each image, whole numbers of shape ({images},), got"
            f" {found.dtype} of {found.shape}{cure}"
        )
    return found
