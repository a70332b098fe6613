"""Tensors by name from a file of weights, of safetensors or of torch; nothing in it is executed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

WRAPPERS = ("module.", "model.", "net.", "_orig_mod.")
"""What DataParallel, a LightningModule's attribute and torch.compile put before every name."""
STARTS = {b"PK": "torch.save", b"\x80": "torch.save"}  # a zip archive; the pickle of old versions
BRACE = 8  # the place of the first { in a safetensors file

Tensors = dict[str, torch.Tensor]


def read_weights(path: Path) -> Tensors:
    """The tensors of a safetensors file, or of a state dict that torch.save or Lightning wrote.

    Raises:
        ValueError: there is no such file, it holds something else, or reading it would execute
            code; the message says how a safetensors file is made of it.
    """
    try:
        with path.open("rb") as file:
            start = file.read(BRACE + 1)
    except OSError as error:
        raise ValueError(f"there is no weights file {path}: {error.strerror}") from error
    if start[BRACE:] != b"{" and any(start.startswith(each) for each in STARTS):
        return _state_dict(path, _unpickled_as_data(path))
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(
            f"{path} is neither a safetensors file nor one of torch.save: {error}"
        ) from error


def _unpickled_as_data(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch meets damage with errors of every kind
        first = str(error).partition("\n")[0]
        raise ValueError(
            f"{path} is not read: it holds more than tensors, or is damaged ({first}), and the rest"
            " could execute code. Make a safetensors file of it where you trust it, in the program"
            " that wrote it: safetensors.torch.save_file({name: value.contiguous() for name, value"
            " in network.state_dict().items()}, 'weights.safetensors')"
        ) from error


def _state_dict(path: Path, content: Any) -> Tensors:
    """The one state dict of what torch.save wrote: all of it, or one of its entries."""
    if _is_state_dict(content):
        return dict(content)
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a state dict, got {type(content).__name__}")
    found = {str(name): entry for name, entry in content.items() if _is_state_dict(entry)}
    if len(found) != 1:
        entries = ", ".join(map(str, found or content)) or "nothing"
        raise ValueError(
            f"{path} must hold one state dict, of tensors by name; got"
            f" {f'{len(found)} of them: ' if found else ''}{entries}"
        )
    (only,) = found.values()
    return dict(only)


def _is_state_dict(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(name, str) for name in content)
        and all(isinstance(value, torch.Tensor) for value in content.values())
    )


def wrapping(names: Iterable[str]) -> str:
    """The words of `WRAPPERS` that stand before every name, one after another; often none."""
    left, found = list(names), ""
    while left:
        word = next((w for w in WRAPPERS if all(name.startswith(w) for name in left)), "")
        if not word:
            break
        found += word
        left = [name.removeprefix(word) for name in left]
    return found
