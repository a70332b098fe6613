"""What all exports and imports share: packages that may be missing, nodes that cannot be held."""

import importlib
from types import ModuleType

from ann2snn.spec import Node


class ExportError(ValueError):
    """A spec that a library or format cannot hold; the message names the node and why."""


def package(name: str, module: str, *, extra: str = "") -> ModuleType:
    """The module of another library, which the extra of that name brings, if one does.

    Raises:
        ImportError: it is not installed; says how to get it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        how = f"'ann2snn[{extra}]'" if extra else name
        raise ImportError(f"this needs {name}: pip install {how}") from error


def refuse(node: Node, reason: str) -> ExportError:
    """The error that names a node and why it cannot be held."""
    return ExportError(f"{node.name} ({node.kind}): {reason}")
