"""Handwritten digits that come with the package, for a first try without any download."""

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 16
TRAINED_ON = 1437


def digits() -> "tuple[Tensor, Tensor, Tensor, Tensor]":
    """1,437 training images, their labels, 360 test images, theirs: images (N, 1, 8, 8) of pixels 0
    to 1, labels 0 to 9.

    The first images of scikit-learn's `load_digits` are for training, the rest for testing; the
    data set `digits` of the pipeline draws its split at random. Source:
    E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998, CC BY 4.0.
    """
    import numpy as np
    import torch

    with (files(__package__) / "digits.npz").open("rb") as file:
        content = np.load(file, allow_pickle=False)
        images = torch.from_numpy(content["images"])[:, None].float() / LEVELS
        labels = torch.from_numpy(content["labels"]).long()
    return images[:TRAINED_ON], labels[:TRAINED_ON], images[TRAINED_ON:], labels[TRAINED_ON:]
