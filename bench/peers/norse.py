"""Norse: `IAFCell`s in a `SequentialState`; they reset to zero, the only reset they have."""

import norse.torch as norse
import torch
from torch import Tensor, nn

from bench.mode import Images, Simulation, in_batches, layers, pixels
from bench.network import Measured


def simulation(network: Measured, batch: int, channels_last: bool) -> Simulation:
    def node() -> nn.Module:
        found: nn.Module = norse.IAFCell(norse.IAFParameters(v_th=torch.as_tensor(1.0)))
        return found

    net = norse.SequentialState(*layers(network.specs["spikes"], node)).eval()
    if channels_last:
        net = net.to(memory_format=torch.channels_last)

    def simulate(images: Images, steps: int) -> Tensor:
        inputs = pixels(images, channels_last)
        total: Tensor
        total, state = net(inputs)
        for _ in range(steps - 1):
            out, state = net(inputs, state)
            total = total + out
        return total

    return in_batches(simulate, batch)


def documented(network: Measured, batch: int) -> Simulation:
    """As its documentation does."""
    return simulation(network, batch, channels_last=False)


def best(network: Measured, batch: int) -> Simulation:
    """Channels last."""
    return simulation(network, batch, channels_last=True)
