"""SpikingSpec: written by the converter, read by every engine."""

from ann2snn.spec.file import load_spec, save_spec
from ann2snn.spec.graph import SpikingSpec
from ann2snn.spec.nodes import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Node,
    Output,
    Reshape,
    Select,
    SpecError,
    SumPool,
)

__all__ = [
    "Add", "Affine", "Concat", "Conv", "Input", "Linear", "MaxPool", "Neuron", "Node", "Output",
    "Reshape", "Select", "SpecError", "SpikingSpec", "SumPool", "load_spec", "save_spec",
]  # fmt: skip
