"""The operations of a torch module, as torch.fx traces them."""

from typing import Any

from torch import fx, nn

from ann2snn.conversion.layers import registry
from ann2snn.conversion.refusal import ConversionError, origin_of_call, origin_of_error

NO_PART = "module is not installed as a submodule"  # as torch.fx says it


class _Tracer(fx.Tracer):
    """Keeps the user's file and line of every operation, and takes modules that a family of layers
    registers as one operation.

    torch.fx can keep the whole stack, but imports its compiler for that: five seconds.
    """

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        known = registry.handler_of(m) is not None
        return known or super().is_leaf_module(m, module_qualified_name)

    def create_args_for_root(self, *arguments: Any, **named: Any) -> tuple[Any, list[Any]]:
        """Arguments with a default are at their default, and those behind stars are none, as when
        the network is called with images alone; a proxy in their place is not None, whatever the
        default."""
        function, given = super().create_args_for_root(*arguments, **named)
        for place, value in enumerate(given[2:], 2):
            if isinstance(value, fx.Proxy) and value.node.args:
                given[place] = value.node.args[0]
            elif isinstance(value, fx.Proxy) and str(value.node.target).startswith("*"):
                given[place] = {} if str(value.node.target).startswith("**") else ()
        return function, given

    def create_node(self, *arguments: Any, **named: Any) -> fx.Node:
        node = super().create_node(*arguments, **named)
        node.meta["origin"] = origin_of_call()
        return node


def traced_operations(module: nn.Module) -> fx.Graph:
    """All operations of `module`, each with the place in the user's files that it comes from.

    Raises:
        ConversionError: torch.fx cannot trace the module.
    """
    try:
        return _Tracer().trace(module)
    except Exception as error:  # whatever the user's own code raises
        place = origin_of_error(error.__traceback__)
        raise ConversionError(
            f"{type(module).__name__} cannot be traced{f', at {place}' if place else ''}:"
            f" {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    words = str(error) or type(error).__name__
    if isinstance(error, NameError) and NO_PART in words:
        return (
            "it calls a layer that is no part of it; instead: make the layer in __init__, and keep"
            " several in nn.ModuleList"
        )
    if isinstance(error, fx.proxy.TraceError):
        return (
            f"{words}. Its path through the layers depends on the image or on its size; instead:"
            " the same layers for every image, with sizes known before"
        )
    return (
        f"{words}. torch.fx runs forward with a stand-in for the images, without numbers and sizes;"
        " instead: torch's layers, functions and operators, plain numbers, sizes known before"
    )
