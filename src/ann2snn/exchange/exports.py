"""The exports: each is one row, in a file of `targets`, whose import loads nothing heavy."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ann2snn.spec import Node, SpikingSpec
from ann2snn.tables import Table


class ExportError(ValueError):
    """A spec that a library or format cannot hold; the message names the node and why."""


@dataclass(frozen=True)
class Export:
    """`make(spec)` gives the spec as an object of another library; `package` is what it needs.

    Raises:
        ExportError: the library cannot hold the spec.
        ImportError: the package is not installed.
    """

    name: str
    meaning: str
    package: str
    make: Callable[[SpikingSpec], Any]


EXPORTS: Table[Export] = Table("export", "ann2snn.exchange.targets")


def export(spec: SpikingSpec, name: str) -> Any:
    """The spec as the row `name` of `EXPORTS` gives it.

    Raises:
        UnknownRowError: there is no such row.
        ExportError: it cannot hold the spec.
        ImportError: its package is not installed.
    """
    return EXPORTS[name].make(spec)


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
