"""SpikingJelly: its integrate-and-fire nodes with soft reset, a step or many steps at a time."""

from collections.abc import Callable

import torch
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn

from bench.mode import Images, Simulation, compiled, in_batches, layers, pixels
from bench.network import Measured

CHUNK = 10  # steps that the layer-by-layer mode holds at once


def node() -> nn.Module:
    found: nn.Module = neuron.IFNode(v_threshold=1.0, v_reset=None)
    return found


def documented(network: Measured, batch: int) -> Simulation:
    """As its tutorials do: the whole network in every step, then `reset_net`."""
    net = nn.Sequential(*layers(network.specs["spikes"], node)).eval()

    def simulate(images: Images, steps: int) -> Tensor:
        functional.reset_net(net)
        inputs = pixels(images, channels_last=False)
        total: Tensor = net(inputs)
        for _ in range(steps - 1):
            total = total + net(inputs)
        return total

    return in_batches(simulate, batch)


def best(network: Measured, batch: int) -> Simulation:
    """Channels last, the first current once."""
    return _channels_last(network, batch, lambda step: step)


def best_compiled(network: Measured, batch: int) -> Simulation:
    """The same, a step through torch.compile.

    Raises:
        ImportError: there is no compiler.
    """
    return _channels_last(network, batch, compiled)


def _channels_last(
    network: Measured, batch: int, prepared: Callable[[nn.Module], Callable[[Tensor], Tensor]]
) -> Simulation:
    found = layers(network.specs["spikes"], node)
    first = found[0].to(memory_format=torch.channels_last)
    rest = nn.Sequential(*found[1:]).eval().to(memory_format=torch.channels_last)
    advance = prepared(rest)

    def simulate(images: Images, steps: int) -> Tensor:
        functional.reset_net(rest)
        current = first(pixels(images))
        total: Tensor = rest(current)
        for _ in range(steps - 1):
            total = total + advance(current)
        return total

    return in_batches(simulate, batch)


def layer_by_layer(network: Measured, batch: int) -> Simulation:
    """Many steps folded into the batch of every layer, neurons scanned over them."""
    found = layers(network.specs["spikes"], node)
    first = found[0].to(memory_format=torch.channels_last)
    parts: list[nn.Module] = []
    for module in found[1:]:
        if isinstance(module, neuron.IFNode):
            module.step_mode = "m"
            parts.append(module)
        else:
            parts.append(layer.SeqToANNContainer(module))
    rest = nn.Sequential(*parts).eval()

    def simulate(images: Images, steps: int) -> Tensor:
        functional.reset_net(rest)
        current = first(pixels(images))
        total = torch.zeros(len(images), 10)
        for start in range(0, steps, CHUNK):
            many = current.expand(min(CHUNK, steps - start), *current.shape)
            total = total + rest(many).sum(0)
        return total

    return in_batches(simulate, batch)
