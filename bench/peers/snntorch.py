"""snnTorch: `Leaky` neurons without leak (beta 1) and with reset by subtraction."""

from collections.abc import Callable

import snntorch
import torch
from torch import Tensor, nn

from bench.mode import Images, Simulation, compiled, in_batches, layers, pixels
from bench.network import Measured


def node() -> nn.Module:
    found: nn.Module = snntorch.Leaky(beta=1.0, threshold=1.0, reset_mechanism="subtract")
    return found


def step(modules: list[nn.Module], signal: Tensor, potentials: dict[int, Tensor]) -> Tensor:
    for place, module in enumerate(modules):
        if isinstance(module, snntorch.Leaky):
            if place not in potentials:
                potentials[place] = torch.zeros_like(signal)
            signal, potentials[place] = module(signal, potentials[place])
        else:
            signal = module(signal)
    return signal


def documented(network: Measured, batch: int) -> Simulation:
    """As its tutorials do: potentials handed from step to step."""
    modules = layers(network.specs["spikes"], node)

    def simulate(images: Images, steps: int) -> Tensor:
        inputs = pixels(images, channels_last=False)
        potentials: dict[int, Tensor] = {}
        total = step(modules, inputs, potentials)
        for _ in range(steps - 1):
            total = total + step(modules, inputs, potentials)
        return total

    return in_batches(simulate, batch)


def best(network: Measured, batch: int) -> Simulation:
    """Channels last, the first current once."""
    return _channels_last(network, batch, step)


def best_compiled(network: Measured, batch: int) -> Simulation:
    """The same, a step through torch.compile.

    Raises:
        ImportError: there is no compiler.
    """
    return _channels_last(network, batch, compiled(step))


def _channels_last(network: Measured, batch: int, advance: Callable[..., Tensor]) -> Simulation:
    modules = [m.to(memory_format=torch.channels_last)
               for m in layers(network.specs["spikes"], node)]  # fmt: skip

    def simulate(images: Images, steps: int) -> Tensor:
        current = modules[0](pixels(images))
        potentials: dict[int, Tensor] = {}
        total = step(modules[1:], current, potentials)
        for _ in range(steps - 1):
            total = total + advance(modules[1:], current, potentials)
        return total

    return in_batches(simulate, batch)
