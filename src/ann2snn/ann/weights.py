"""Weights as safetensors, and what a network answers with them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

BATCH = 500


def save_weights(module: nn.Module, path: Path) -> None:
    """Writes parameters and buffers, contiguous, under their names."""
    tensors = {name: value.detach().contiguous() for name, value in module.state_dict().items()}
    save_file(tensors, path)


def load_weights(module: nn.Module, path: Path, *, but: str = "") -> None:
    """Puts the weights of `path` into `module`; tensors whose last name is `but` may be missing
    there and stay as they are.

    Raises:
        ValueError: the file is no safetensors file, or tensors are missing, unknown, of another
            shape or kind, or not finite; the message names them.
    """
    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise ValueError(f"there is no weights file {path}") from error
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} is not a safetensors file: {error}") from error
    known = module.state_dict()
    for name, tensor in tensors.items():
        _check(name, tensor, known.get(name), path)
    kept = {name: known[name] for name in known if name.rpartition(".")[2] == but}
    try:
        module.load_state_dict(kept | tensors)
    except RuntimeError as error:
        reasons = " ".join(str(error).split())
        raise ValueError(f"{path} does not fit the network: {reasons}") from error


def _check(name: str, tensor: torch.Tensor, place: torch.Tensor | None, path: Path) -> None:
    """Passes numbers of the network's own kind, all of them finite: torch would copy any."""
    if place is not None and tensor.is_floating_point() != place.is_floating_point():
        raise ValueError(
            f"{path}: {name} must hold numbers of kind {place.dtype}, got {tensor.dtype}"
        )
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{path}: {name} must be finite, it holds NaN or infinity")
    if name.endswith("running_var") and (tensor < 0).any():
        raise ValueError(f"{path}: {name} is a variance and must not be negative")


@torch.no_grad()
def predict(module: nn.Module, images: npt.NDArray[np.uint8], levels: int) -> npt.NDArray[np.int64]:
    """The class of the largest output (N,), for images (N, C, H, W) of pixels k / levels; in eval
    mode, in batches of one fixed size."""
    was_training = module.training
    module.eval()
    found = []
    for start in range(0, len(images), BATCH):
        pixels = torch.from_numpy(np.array(images[start : start + BATCH])).float() / levels
        found.append(module(pixels).argmax(1).numpy())
    module.train(was_training)
    return np.concatenate(found).astype(np.int64)


def accuracy(
    module: nn.Module, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], levels: int
) -> float:
    """Percent of images whose largest output is their label."""
    return 100 * float((predict(module, images, levels) == labels).mean())
