"""The analog network's answers as a result's file keeps them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file


def read_answers(path: Path, name: str, images: int, classes: int) -> npt.NDArray[np.int64]:
    """The class of each of `images` images, by the tensor `name` of the file.

    Raises:
        ValueError: the file holds no such answers.
    """
    try:
        answers = load_file(path)[name]
    except (OSError, SafetensorError, KeyError) as error:
        raise ValueError(f"{path} holds no answers {name}: {error}") from error
    if answers.dtype != np.int64 or answers.shape != (images,):
        raise ValueError(
            f"{path}: {name} must be {images} whole numbers of 64 bits, got {answers.dtype} of"
            f" shape {answers.shape}"
        )
    if images and not (answers.min() >= 0 and answers.max() < classes):
        raise ValueError(f"{path}: {name} must be classes from 0 to {classes - 1}")
    return answers
