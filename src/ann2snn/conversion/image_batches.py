"""Calibration images from an array, or from a DataLoader or any iterable of batches, in blocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.numerics.pixels import whole_numbers
from ann2snn.spec.nodes import Shape

Array = npt.NDArray[Any]
Images = Array | torch.Tensor | Iterable[Any]
NAME = "calibration_images"
PART = 32  # images of an array that are turned into whole numbers at a time


@dataclass(frozen=True)
class Batches:
    """Images of one `shape` as whole numbers k for pixels k / levels, batch by batch.

    `first` is the first batch. It also stands in `rest`, which can be gone through once."""

    shape: Shape
    levels: int
    first: Array
    rest: Iterator[Array]


def batches(images: Images, levels: int | None) -> Batches:
    """The images, as an array (N, *shape) or as an iterable of such batches; a batch may come with
    its labels behind it, as a DataLoader gives them.

    Raises:
        ValueError: there are no images; they are no finite numbers; or batches differ in kind.
    """
    parts = iter(_parts(images))
    first = next(parts, None)
    if first is None:
        raise ValueError(f"{NAME} must hold at least one batch of images, got none")
    whole, found = whole_numbers(first, levels, NAME)

    def all_batches() -> Iterator[Array]:
        yield whole
        for part in parts:
            if part.shape[1:] != whole.shape[1:] or part.dtype != first.dtype:
                raise ValueError(
                    f"{NAME} must be of one shape and type, got {first.shape[1:]} of {first.dtype}"
                    f" and {part.shape[1:]} of {part.dtype}"
                )
            yield whole_numbers(part, levels, NAME)[0]

    return Batches(whole.shape[1:], found, whole, all_batches())


def _parts(images: Images) -> Iterator[Array]:
    """Arrays (n, *shape) with n > 0."""
    if isinstance(images, torch.Tensor | np.ndarray):
        whole = _array(images)
        # what is floats is turned into whole numbers part by part, which takes less memory
        yield from (whole[start : start + PART] for start in range(0, len(whole), PART))
        return
    if isinstance(images, str | bytes | dict) or not isinstance(images, Iterable):
        raise ValueError(
            f"{NAME} must be an array (N, *shape) or batches of such, got {type(images).__name__}"
        )
    for batch in images:
        if isinstance(batch, tuple | list) and batch:
            batch = batch[0]
        if not isinstance(batch, torch.Tensor | np.ndarray):
            raise ValueError(
                f"{NAME} must give batches that are tensors, arrays or (images, labels), got"
                f" {type(batch).__name__}"
            )
        yield _array(batch)


def _array(images: torch.Tensor | Array) -> Array:
    if isinstance(images, torch.Tensor):
        images = images.detach().cpu()
        images = images.float() if images.dtype == torch.bfloat16 else images
        array: Array = images.numpy()
    else:
        array = images
    if array.ndim < 2 or not len(array):
        raise ValueError(f"{NAME} must be (N, *shape) with N > 0, got {array.shape}")
    return array
