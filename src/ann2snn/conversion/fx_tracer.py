"""The operations of a torch module, as torch.fx traces them."""

from typing import Any

from torch import fx, nn

from ann2snn.conversion.layers import registry
from ann2snn.conversion.refusal import ConversionError, origin_of_call, origin_of_error


class _Tracer(fx.Tracer):
    """Keeps the user's file and line of every operation, and takes modules that a family of layers
    registers as one operation.

    torch.fx can keep the whole stack, but imports its compiler for that: five seconds.
    """

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        known = registry.handler_of(m) is not None
        return known or super().is_leaf_module(m, module_qualified_name)

    def create_args_for_root(self, *arguments: Any, **named: Any) -> tuple[Any, list[Any]]:
        """Arguments with a default are at their default, as when the network is called with images
        alone; a proxy in their place is not None, whatever the default."""
        function, given = super().create_args_for_root(*arguments, **named)
        for place, value in enumerate(given[2:], 2):
            if isinstance(value, fx.Proxy) and value.node.args:
                given[place] = value.node.args[0]
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
    except (fx.proxy.TraceError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        place = origin_of_error(error.__traceback__)
        raise ConversionError(
            f"{type(module).__name__} cannot be traced{f', at {place}' if place else ''}: {error}. "
            "Its path through the layers depends on the image or on its size; instead: the same "
            "layers for every image, with sizes known before"
        ) from error
