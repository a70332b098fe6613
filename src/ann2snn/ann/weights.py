"""Weights into a network and out of it, and what it answers with them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import nn

from ann2snn.ann.weights_file import read_weights, wrapping

BATCH = 500


def round_weights(module: nn.Module) -> None:
    """Rounds the weights (tensors of two axes and more) to half precision, in place.

    Raises:
        ValueError: a weight is beyond the largest number of half precision.
    """
    tensors = module.state_dict()
    for name, value in tensors.items():
        if value.ndim > 1:
            tensors[name] = value.half().to(value.dtype)
            if (value.isfinite() & ~tensors[name].isfinite()).any():
                raise ValueError(
                    f"{name} must be within +-{torch.finfo(torch.half).max:g} to be stored as"
                    f" float16, got {float(value.abs().max()):g}: give ann.stored_as=float32"
                )
    module.load_state_dict(tensors)


def save_weights(module: nn.Module, path: Path, stored_as: str = "float32") -> None:
    """Writes parameters and buffers, contiguous, under their names; the weights that
    `round_weights` rounds in half precision where `stored_as` is float16."""
    tensors = {name: value.detach().contiguous() for name, value in module.state_dict().items()}
    if stored_as == "float16":
        tensors |= {name: value.half() for name, value in tensors.items() if value.ndim > 1}
    save_file(tensors, path)


def load_weights(module: nn.Module, path: Path | str, *, but: str = "") -> str:
    """Puts the weights of `path`, a safetensors file or one that torch.save or Lightning wrote,
    into `module`; tensors whose last name is `but` may be missing there and stay as they are.

    Gives what stands before all names of the file and is left out, such as `module.`, since a
    wrapper put it there; "" where the names are the network's own.

    Raises:
        ValueError: the file cannot be read as weights, or tensors are missing, unknown, of another
            shape or kind, or not finite; the message names them.
    """
    path = Path(path)
    tensors = read_weights(path)
    known = module.state_dict()
    left_out = own = ""
    if tensors.keys() != known.keys():
        left_out, own = wrapping(tensors), wrapping(known)
        tensors = {own + name.removeprefix(left_out): value for name, value in tensors.items()}
    for name, tensor in tensors.items():
        _check(name, tensor, known.get(name), path)
    kept = {name: known[name] for name in known if name.rpartition(".")[2] == but}
    try:
        module.load_state_dict(kept | tensors)
    except RuntimeError as error:
        reasons = " ".join(str(error).split())
        without = f" (without {left_out} before its names)" if left_out else ""
        raise ValueError(f"{path}{without} does not fit the network: {reasons}") from error
    return left_out.removesuffix(own)


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
