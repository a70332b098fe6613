"""What a node of torch.fx says of itself."""

from typing import Any

from torch import fx, nn

from ann2snn.conversion.refusal import LISTED, Refused

# the names of arguments in NumPy that torch's functions take for their own
NUMPYS = {
    "axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other",
}  # fmt: skip


def attribute(module: nn.Module, path: str) -> Any:
    *parents, name = path.split(".")
    return getattr(module.get_submodule(".".join(parents)), name)


def no_counterpart(node: fx.Node, operation: str, module: nn.Module) -> Refused:
    """That nothing converts an operation; a class that is none of torch.nn's has its whole name,
    since there is a `Linear` in several places."""
    if node.op == "call_module":
        kind = type(module.get_submodule(str(node.target)))
        if not kind.__module__.startswith("torch.nn.modules."):
            operation = f"{kind.__module__}.{kind.__qualname__}"
    return Refused(f"{operation} has no spiking counterpart here", LISTED)


def is_operator(node: fx.Node) -> bool:
    """Whether it is Python's own arithmetic or indexing, which may be about sizes."""
    return getattr(node.target, "__module__", "") in ("_operator", "math", "builtins")


def in_place(node: fx.Node, module: nn.Module) -> bool:
    """Whether the operation overwrites its first argument."""
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(str(node.target)), "inplace", False))
    name = str(getattr(node.target, "__name__", node.target))
    in_place_operator = name in ("iadd", "isub", "imul", "itruediv")
    ends = name.endswith("_") and not name.endswith("__")
    return bool(in_place_operator or ends or node.kwargs.get("inplace", False))


def read_later(node: fx.Node) -> bool:
    """Whether an operation after this one reads the same first argument."""
    source = node.args[0] if node.args else None
    return isinstance(source, fx.Node) and any(node < user for user in source.users)
