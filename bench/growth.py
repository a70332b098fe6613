"""How the event engine's time grows with steps, images, channels, rates and threads."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from ann2snn.spec import Conv, Linear, Neuron, Node, Reshape, SpikingSpec
from bench.mode import EVENT
from bench.network import Measured
from bench.timing import microseconds

STEPS = (50, 100, 200, 400, 800)
IMAGES = (100, 1000)
CHANNELS = (1, 2, 4)
RATES = (0.5, 1.0, 2.0, 4.0)
THREADS = (1, 2)


@dataclass(frozen=True)
class Growth:
    """One measurement: what varies, and what it took."""

    varies: str
    value: float
    threads: int
    steps: int
    images: int
    microseconds: float
    mean_rate: float


def growth(network: Measured, seconds: float) -> Iterator[Growth]:
    """All measurements; runs that would take longer than `seconds` each are left out."""
    expected = 100.0
    for steps in STEPS:
        found = _timed(network, "steps", steps, 1, steps, 64)
        expected = max(found.microseconds, 1.0)
        yield found
    for count in IMAGES:
        for threads in THREADS:
            if count * 300 * expected / threads < seconds * 1e6 and count <= len(network.images):
                yield _timed(network, "images", count, threads, 300, count)
    for factor in CHANNELS:
        wider = replace(network, specs={"rise": with_channels(network.spec, factor)})
        yield _timed(wider, "channels", factor, 1, 100, 16)
    for rate in RATES:
        faster = replace(network, specs={"rise": with_rates(network.spec, rate)})
        yield _timed(faster, "rates", rate, 1, 300, 32)
    for threads in THREADS:
        yield _timed(network, "threads", threads, threads, 300, 128)


def _timed(
    network: Measured, varies: str, value: float, threads: int, steps: int, images: int
) -> Growth:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    simulation = EVENT.build(network, 250)
    simulation(network.images[:2], 2)
    repetitions = 1 if images * steps > 500_000 else 3
    least = min(microseconds(simulation, network, images, steps) for _ in range(repetitions))
    torch.set_num_threads(before)
    return Growth(varies, value, threads, steps, images, least, mean_rate(network, steps))


def mean_rate(network: Measured, steps: int) -> float:
    """Spikes of a mean neuron in a mean step, over 20 images."""
    from ann2snn.simulation.event import threads as event

    block = event.simulate_block(network.spec, network.images[:20], np.arange(20), steps=steps,
                                 seed=0, precision="float64")  # fmt: skip
    names = [node.name for node in network.spec if isinstance(node, Neuron)]
    spikes = sum(int(block.spikes[name].sum()) for name in names)
    return spikes / (20 * steps * network.spec.neurons)


def with_rates(spec: SpikingSpec, factor: float) -> SpikingSpec:
    """The network with all rates `factor` times as high, until they saturate: the weights of the
    first layer and all biases grow, as smaller scales of all layers would make them."""
    nodes: list[Node] = []
    first = True
    for node in spec:
        if isinstance(node, Conv | Linear):
            weight = node.weight * factor if first else node.weight
            first = False
            nodes.append(
                replace(
                    node, weight=_on_grid(weight, spec), bias=_on_grid(node.bias * factor, spec)
                )
            )
        else:
            nodes.append(node)
    return SpikingSpec(tuple(nodes), spec.grid, spec.levels)


def with_channels(spec: SpikingSpec, factor: int) -> SpikingSpec:
    """The network with `factor` copies of every hidden channel, and so the same rates: the weights
    to the copies are divided among them."""
    nodes: list[Node] = []
    linear = [node.name for node in spec if isinstance(node, Conv | Linear)]
    for node in spec:
        if not isinstance(node, Conv | Linear):
            if isinstance(node, Reshape):
                node = replace(node, shape=(node.shape[0] * factor,))
            nodes.append(node)
            continue
        ins = 1 if node.name == linear[0] else factor
        outs = 1 if node.name == linear[-1] else factor
        repeats = (outs, ins, *[1] * (node.weight.ndim - 2))
        weight = np.tile(node.weight, repeats) / ins
        nodes.append(replace(node, weight=weight, bias=np.tile(node.bias, outs)))
    grid = None if spec.grid is None else spec.grid + int(np.log2(factor))
    return SpikingSpec(tuple(nodes), grid, spec.levels)


def _on_grid(values: np.ndarray, spec: SpikingSpec) -> np.ndarray:
    if spec.grid is None:
        return values
    return np.rint(values * 2.0**spec.grid) / 2.0**spec.grid
