"""SpikingSpec: what the converter writes and every engine reads."""

from ann2snn.spec.file import load_spec, save_spec
from ann2snn.spec.graph import SpikingSpec
from ann2snn.spec.nodes import Node, SpecError
from ann2snn.spec.nodes.ends import Input, Output
from ann2snn.spec.nodes.joining import Add, Concat, Reshape
from ann2snn.spec.nodes.neuron import Neuron
from ann2snn.spec.nodes.pools import MaxPool, SumPool
from ann2snn.spec.nodes.weighted import Affine, Conv, Linear

__all__ = [
    "Add",
    "Affine",
    "Concat",
    "Conv",
    "Input",
    "Linear",
    "MaxPool",
    "Neuron",
    "Node",
    "Output",
    "Reshape",
    "SpecError",
    "SpikingSpec",
    "SumPool",
    "load_spec",
    "save_spec",
]
