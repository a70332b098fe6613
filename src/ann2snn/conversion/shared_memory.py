"""Memory that two names of the user's code share, which no operation in place may change for both.

A view, a slice, a dropout that does nothing give the same memory another name. torch itself tells
where: the traced operations run once, and their results say which memory they lie in, and how often
it was written to.
"""

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn

from ann2snn.conversion.layers.registry import leaves
from ann2snn.conversion.module_state import HALVES, unchanged
from ann2snn.conversion.refusal import ConversionError, title

if TYPE_CHECKING:
    from ann2snn.conversion.trace import Walk


def hold_memory(walk: "Walk") -> None:
    """Runs the traced operations on an image of the walk's shape, all 1/2.

    Raises:
        ConversionError: an operation in place changes what a later one reads by another name.
    """
    module = walk.module
    tensors = [*module.parameters(), *module.buffers()]
    if any(tensor.dtype in HALVES or tensor.is_cuda for tensor in tensors):
        module = copy.deepcopy(module).float().cpu()
    image = torch.full((1, *walk.shape), 0.5, dtype=walk.graph.precision)
    with unchanged(module):
        memory = _Memory(module, walk.traced)
        try:
            memory.run(image)
        except (RuntimeError, TypeError, ValueError, AttributeError):
            return  # the outputs tell how what was traced differs from what runs
    for changed, earlier in memory.changes:
        for user in earlier.users:
            output = user.op == "output"
            if changed < user and (output or _tensors(memory.seen[user])):
                reader = "the network's output" if output else title(user, walk.operation(user))
                raise ConversionError(
                    f"{title(changed, walk.operation(changed))}: changes in place what {reader}"
                    " reads later; instead: the form that gives a new tensor"
                )


class _Memory(fx.Interpreter):
    """Runs traced operations. `changes` are pairs of an operation that writes to memory and an
    earlier one whose result lies there."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, garbage_collect_values=False, graph=graph)
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
    return [leaf for leaf in leaves(value) if isinstance(leaf, torch.Tensor)]
