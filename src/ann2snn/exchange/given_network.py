"""`convert` and `explain` for what people have: modules, files of weights, ONNX files."""

import copy
import functools
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from torch import nn

from ann2snn.conversion import convert as conversion
from ann2snn.conversion.refusal import ConversionError

Toggles = ParamSpec("Toggles")
Result = TypeVar("Result")
File = str | os.PathLike[str]
IN_PLACE = """In the place of `module` may stand the path of an .onnx file, or a pair of a module
and a file of its weights, (module, "weights.pt"): .safetensors, .pt, .pth or .ckpt. Nothing is
unpickled."""
Given = nn.Module | File | tuple[nn.Module, File]


def network(given: Any) -> Any:
    """The module that is meant: itself; a copy with the weights of a file (.safetensors, .pt, .pth
    or .ckpt); or the network of an .onnx file. Nothing is ever unpickled. Anything else comes out
    as it is, for the conversion to refuse.

    Raises:
        ConversionError: the file is not .onnx, or cannot be read.
        ValueError: the weights do not fit, or are no weights alone.
        ImportError: an .onnx file is given and `onnx` is not installed.
    """
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], nn.Module):
        from ann2snn.ann.weights import load_weights

        if not isinstance(given[1], str | os.PathLike):
            raise ConversionError(
                f"beside a module there must be the path of a file, got {type(given[1]).__name__};"
                " load a state dict into its network first: network.load_state_dict(...)"
            )
        module = copy.deepcopy(given[0])
        load_weights(module, Path(given[1]))
        return module
    if not isinstance(given, str | os.PathLike):
        return given
    path = Path(given)
    if path.suffix.lower() != ".onnx":
        raise ConversionError(
            f"{path} must be an .onnx file, which holds a network; a file of weights goes with its"
            f" network: convert((network, {str(path)!r}), calibration_images)"
        )
    from ann2snn.exchange.onnx_network import onnx_network

    return onnx_network(path)


def of_anything(
    function: Callable[Concatenate[nn.Module, Toggles], Result],
) -> Callable[Concatenate[Given, Toggles], Result]:
    """The function, taking what `network` does in the place of its module."""

    @functools.wraps(function)
    def taking(module: Given, *arguments: Toggles.args, **keywords: Toggles.kwargs) -> Result:
        return function(network(module), *arguments, **keywords)

    words = (inspect.getdoc(function) or "").partition("\n\nRaises:")
    taking.__doc__ = "".join((words[0], "\n\n", IN_PLACE, *words[1:]))
    typed: Any = taking  # mypy tells a name of the first argument from none
    wrapped: Callable[Concatenate[Given, Toggles], Result] = typed
    return wrapped


convert = of_anything(conversion.convert)
explain = of_anything(conversion.explain)
