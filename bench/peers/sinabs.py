"""sinabs: integrate-and-fire layers that take batch and time folded together."""

import sinabs.layers
import torch
from sinabs.activation import MembraneSubtract, SingleSpike
from torch import Tensor, nn

from bench.mode import Images, Simulation, in_batches, layers, pixels
from bench.network import Measured

CHUNK = 10  # steps that are folded into the batch at once


def simulation(network: Measured, batch: int, channels_last: bool) -> Simulation:
    def node() -> nn.Module:
        found: nn.Module = sinabs.layers.IAFSqueeze(
            num_timesteps=CHUNK, min_v_mem=None, spike_threshold=1.0, spike_fn=SingleSpike,
            reset_fn=MembraneSubtract(),
        )  # fmt: skip
        return found

    net = nn.Sequential(*layers(network.specs["spikes"], node)).eval()
    if channels_last:
        net = net.to(memory_format=torch.channels_last)

    def simulate(images: Images, steps: int) -> Tensor:
        if steps % CHUNK:
            raise ValueError(f"steps must be a multiple of {CHUNK} for sinabs, got {steps}")
        for module in net:
            if isinstance(module, sinabs.layers.StatefulLayer):
                module.reset_states()
        inputs = pixels(images, channels_last).repeat_interleave(CHUNK, 0)
        total = torch.zeros(len(images), 10)
        for _ in range(steps // CHUNK):
            total = total + net(inputs).unflatten(0, (len(images), CHUNK)).sum(1)
        return total

    return in_batches(simulate, batch)


def documented(network: Measured, batch: int) -> Simulation:
    """As `from_model` builds it."""
    return simulation(network, batch, channels_last=False)


def best(network: Measured, batch: int) -> Simulation:
    """Channels last."""
    return simulation(network, batch, channels_last=True)
