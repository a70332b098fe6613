"""A library of plain torch, which is always there, and twins in it."""

import torch
from torch import nn

from ann2snn.exchange.twin import Library, Twin
from ann2snn.mechanisms.resets import RESETS
from ann2snn.spec import Neuron, SpikingSpec


class PlainNeurons(nn.Module):
    """Integrate-and-fire neurons as a library could have them."""

    def __init__(self, node: Neuron) -> None:
        super().__init__()
        self.node = node
        self.potential = torch.zeros(())

    def forward(self, current: torch.Tensor) -> torch.Tensor:
        potential = self.potential + current
        spikes = (potential >= 1).to(current.dtype)
        self.potential = RESETS[self.node.reset].after(potential, spikes)
        return spikes


def plain_twin(spec: SpikingSpec) -> Twin:
    def begin(layer: PlainNeurons, potential: torch.Tensor) -> None:
        layer.potential = potential

    return Twin(
        spec, Library("plain", PlainNeurons, begin, lambda layer, z: layer(z), ("subtract", "zero"))
    )
