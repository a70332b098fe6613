"""The kinds of node that a spiking network is made of. A module that is put here is loaded with
them, so that a new kind is one new file, and each room that has no rule for it refuses it by name.
"""

import importlib
import pkgutil

from ann2snn.spec.nodes.node import KINDS, Array, Counts, Node, Shape, SpecError

__all__ = ["KINDS", "Array", "Counts", "Node", "Shape", "SpecError"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
