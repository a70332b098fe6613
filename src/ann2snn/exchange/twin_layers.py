"""The nodes of a spec that do not fire, as torch modules."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ann2snn.numerics.windows import Padding
from ann2snn.simulation.dense.layers import applied
from ann2snn.simulation.dense.max_pooling import PoolState
from ann2snn.spec import nodes
from ann2snn.spec.interpretation import Interpretation

Tensor = torch.Tensor

LAYERS: Interpretation[Callable[[Any], nn.Module]] = Interpretation(
    "torch module",
    leaves_out={
        nodes.Input: "is what the network is given", nodes.Neuron: "is the library's own",
        nodes.Output: "is what the network gives",
    },
)  # fmt: skip


@LAYERS.of(nodes.Conv)
def _convolution(node: nodes.Conv) -> nn.Module:
    outputs, per_group, *kernel = node.weight.shape
    top, bottom, left, right = node.padding
    alike = top == bottom and left == right
    layer = nn.Conv2d(
        per_group * node.groups, outputs, tuple(kernel), node.stride, (top, left) if alike else 0,
        node.dilation, node.groups,
    )  # fmt: skip
    _set(layer, node)
    return layer if alike else Padded(node.padding, layer)


@LAYERS.of(nodes.Linear)
def _linear(node: nodes.Linear) -> nn.Module:
    layer = nn.Linear(*node.weight.shape[::-1])
    _set(layer, node)
    return layer


def _set(layer: nn.Conv2d | nn.Linear, node: nodes.Weighted) -> None:
    layer.double()  # until the network is cast, as the numbers of a spec may need it
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(node.weight))
        layer.bias.copy_(torch.from_numpy(node.bias))


class Padded(nn.Module):
    """A convolution behind zeros that differ from side to side."""

    def __init__(self, padding: Padding, layer: nn.Module) -> None:
        super().__init__()
        top, bottom, left, right = padding
        self.zeros = (left, right, top, bottom)
        self.layer = layer

    def forward(self, signal: Tensor) -> Tensor:
        result: Tensor = self.layer(F.pad(signal, self.zeros))
        return result


@LAYERS.of(nodes.Affine)
class Affine(nn.Module):
    """gain x signal + bias."""

    def __init__(self, node: nodes.Affine) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.from_numpy(np.array(node.gain)))
        self.bias = nn.Parameter(torch.from_numpy(np.array(node.bias)))

    def forward(self, signal: Tensor) -> Tensor:
        return signal * self.gain + self.bias


@LAYERS.of(nodes.Reshape)
def _reshape(node: nodes.Reshape) -> nn.Module:
    """To one axis, or by way of it to another shape."""
    flat = nn.Flatten()
    return flat if len(node.shape) == 1 else nn.Sequential(flat, nn.Unflatten(1, node.shape))


@LAYERS.of(nodes.Add, nodes.Concat, nodes.Select, nodes.SumPool)
class Applied(nn.Module):
    """A node without weights or a state, as the dense engine forms its signal."""

    def __init__(self, node: nodes.Node) -> None:
        super().__init__()
        self.node = node

    def _get_name(self) -> str:
        return type(self.node).__name__

    def forward(self, *signals: Tensor) -> Tensor:
        return applied(self.node, list(signals))


@LAYERS.of(nodes.MaxPool)
class MaxPool(nn.Module):
    """Max-pooling of spikes by a row of `POOLINGS`: it keeps an estimate for each input, and counts
    the steps."""

    def __init__(self, node: nodes.MaxPool) -> None:
        super().__init__()
        self.node = node
        self.reset()

    def reset(self) -> None:
        """Forgets all steps."""
        self.state: PoolState | None = None
        self.steps = 0

    def forward(self, signal: Tensor) -> Tensor:
        if self.state is None:
            self.state = PoolState.fresh(self.node, signal)
        self.steps += 1
        return self.state.step(signal, self.steps)
