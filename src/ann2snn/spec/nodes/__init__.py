"""The kinds of node that a spiking network is made of. A module that is put here is loaded with
them, so that a new kind is one new file, and each room that has no rule for it refuses it by name.
"""

import importlib
import pkgutil

from ann2snn.spec.nodes.ends import Input, Output
from ann2snn.spec.nodes.joining import Add, Concat, Reshape, Select
from ann2snn.spec.nodes.neuron import Neuron
from ann2snn.spec.nodes.node import KINDS, Array, Counts, Node, Shape, SpecError
from ann2snn.spec.nodes.pools import MaxPool, Pool, SumPool
from ann2snn.spec.nodes.weighted import Affine, Conv, Linear, Weighted

__all__ = [
    "KINDS", "Add", "Affine", "Array", "Concat", "Conv", "Counts", "Input", "Linear", "MaxPool",
    "Neuron", "Node", "Output", "Pool", "Reshape", "Select", "Shape", "SpecError", "SumPool",
    "Weighted",
]  # fmt: skip

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
