"""Memory that two names of the user's code share, which no operation in place may change for both.

A view, a slice, a dropout that does nothing give the same memory another name. torch itself tells
where: the traced operations run once, and their results say which memory they lie in, and how often
it was written to.
"""

import copy
from typing import Any

import torch
from torch import fx, nn

from ann2snn.conversion.module_state import HALVES, unchanged
from ann2snn.conversion.refusal import ConversionError, origin
from ann2snn.conversion.trace import Walk, walked

Shape = tuple[int, ...]


def hold_memory(module: nn.Module, shape: Shape) -> None:
    """Runs the traced operations on an image of `shape`, all 1/2.

    Raises:
        ConversionError: an operation in place changes what a later one reads by another name.
    """
    walk = walked(module, shape)
    tensors = [*module.parameters(), *module.buffers()]
    if any(tensor.dtype in HALVES or tensor.is_cuda for tensor in tensors):
        module = copy.deepcopy(module).float().cpu()
    image = torch.full((1, *shape), 0.5, dtype=walk.graph.precision)
    with unchanged(module):
        memory = _Memory(module, walk.traced)
        try:
            memory.run(image)
        except (RuntimeError, TypeError, ValueError, AttributeError):
            return  # the outputs tell how what was traced differs from what runs
    for changed, earlier in memory.changes:
        for user in earlier.users:
            if changed < user and (user.op == "output" or _tensors(memory.seen[user])):
                raise ConversionError(
                    f"{title(walk, changed)}: changes in place what {title(walk, user)} reads"
                    " later; instead: the form that gives a new tensor"
                )


def title(walk: Walk, node: fx.Node) -> str:
    """A traced operation by its name and its place in the user's code."""
    if node.op == "output":
        return "the network's output"
    name = node.target if node.op == "call_module" else node.name
    place = f", at {origin(node)}" if origin(node) else ""
    return f"{name} ({walk.operation(node)}{place})"


class _Memory(fx.Interpreter):
    """Runs traced operations. `changes` are pairs of an operation that writes to memory and an
    earlier one whose result lies there."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(fx.GraphModule(module, graph), garbage_collect_values=False)
        self.seen: dict[fx.Node, Any] = {}
        self.changes: list[tuple[fx.Node, fx.Node]] = []

    def run_node(self, n: fx.Node) -> Any:
        given = _tensors(self.fetch_args_kwargs_from_env(n))
        before = [tensor._version for tensor in given]
        value = super().run_node(n)
        changed = {
            _place(tensor)
            for tensor, version in zip(given, before, strict=True)
            if tensor._version != version
        }
        if changed:
            for earlier, own in self.seen.items():
                if changed.intersection(map(_place, _tensors(own))):
                    self.changes.append((n, earlier))
        self.seen[n] = value
        return value


def _place(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _tensors(value: Any) -> list[torch.Tensor]:
    found: list[Any] = []
    fx.node.map_aggregate(value, found.append)
    return [leaf for leaf in found if isinstance(leaf, torch.Tensor)]
