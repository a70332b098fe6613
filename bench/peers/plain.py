"""A loop in plain torch: what one writes without any tool."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.mode import Images, Simulation, compiled, in_batches, layers, pixels
from bench.network import Measured


class Integrate(nn.Module):
    """Integrate-and-fire neurons with reset by subtraction, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.potential: Tensor | None = None

    def forward(self, current: Tensor) -> Tensor:
        if self.potential is None:
            self.potential = torch.zeros_like(current)
        self.potential += current
        fired = (self.potential >= 1).to(current.dtype)
        self.potential -= fired
        return fired


def build(network: Measured, batch: int) -> Simulation:
    """Channels last; the first layer's current, which is the same in every step, once."""
    return _channels_last(network, batch, lambda step: step)


def build_compiled(network: Measured, batch: int) -> Simulation:
    """The same, a step through torch.compile.

    Raises:
        ImportError: there is no compiler.
    """
    return _channels_last(network, batch, compiled)


def _channels_last(
    network: Measured, batch: int, prepared: Callable[[nn.Module], Callable[[Tensor], Tensor]]
) -> Simulation:
    found = layers(network.specs["spikes"], Integrate)
    first = found[0].to(memory_format=torch.channels_last)
    rest = nn.Sequential(*found[1:]).to(memory_format=torch.channels_last)
    advance = prepared(rest)

    def simulate(images: Images, steps: int) -> Tensor:
        current = first(pixels(images))
        for module in rest:
            if isinstance(module, Integrate):
                module.potential = None
        total: Tensor = rest(current)
        for _ in range(steps - 1):
            total = total + advance(current)
        return total

    return in_batches(simulate, batch)
