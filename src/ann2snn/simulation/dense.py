"""The readable engine: plain torch on any device, the reference for every other.

The network is feed-forward and a step is synchronous, so a node can take a chunk of steps at once:
time is folded into the batch for everything without state, and only neurons and gates walk through
the steps.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.numerics import random_words
from ann2snn.simulation import neuron
from ann2snn.simulation.block import Block
from ann2snn.simulation.gates import Gate
from ann2snn.simulation.stateless import applied, full_products
from ann2snn.simulation.static import static_signals
from ann2snn.simulation.watch import Watch
from ann2snn.spec import Conv, Input, Linear, MaxPool, Neuron, Node, Output, SpikingSpec, SumPool
from ann2snn.spec.cost import fan_out

Tensor = torch.Tensor
CHUNK_BYTES = 256 * 2**20


@dataclass
class _Run:
    """One block of images on its way through time; signals are (steps, images, *shape)."""

    spec: SpikingSpec
    images: npt.NDArray[np.integer]
    indices: npt.NDArray[np.int64]
    seed: int
    dtype: torch.dtype
    device: torch.device
    block: Block
    keep: frozenset[str]
    record: dict[str, list[int]]
    watch: Watch | None
    static: dict[str, Tensor] = field(default_factory=dict)
    potentials: dict[str, Tensor] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    fans: dict[str, Tensor] = field(default_factory=dict)


@torch.no_grad()
def simulate_block(
    spec: SpikingSpec,
    images: npt.NDArray[np.integer],
    indices: npt.NDArray[np.int64],
    *,
    steps: int,
    seed: int,
    precision: str = "float32",
    device: str = "cpu",
    keep: frozenset[str] = frozenset(),
    record: dict[str, list[int]] | None = None,
    watch: Watch | None = None,
) -> Block:
    """Simulates images of whole numbers k (N, C, H, W), pixels k / spec.levels.

    `indices` are the images' true places, which random numbers count by. `keep` may hold "counts"
    and "potentials"; `record` names units of neuron layers whose spike trains are wanted; `watch`
    is shown the spikes of all neurons.
    """
    n = len(images)
    block = Block(np.zeros((n, steps, spec.classes)))
    run = _Run(
        spec, images, indices, seed, getattr(torch, precision), torch.device(device), block,
        keep, record or {}, watch,
    )  # fmt: skip
    for name, signal in static_signals(spec, images).items():
        run.static[name] = torch.from_numpy(signal).to(run.device, run.dtype)
    for node in spec:
        if isinstance(node, Conv | Linear):
            block.synops[node.name] = np.zeros((n, steps), np.int64)
            fan = fan_out(spec, node).astype(np.float64)
            run.fans[node.name] = torch.from_numpy(fan).to(run.device)
        if isinstance(node, MaxPool | SumPool):
            block.pool_operations[node.name] = np.zeros((n, steps), np.int64)
            run.fans[node.name] = _windows_of_inputs(spec, node).to(run.device)
        if spec.is_spiking(node.name) and isinstance(node, Neuron | Input | MaxPool):
            block.spikes[node.name] = np.zeros((n, steps), np.int64)
    largest = max(int(np.prod(shape)) for shape in spec.shapes.values())
    width = torch.finfo(run.dtype).bits // 8
    chunk = max(1, CHUNK_BYTES // (4 * width * largest * n))
    with full_products() if run.device.type == "cpu" else nullcontext():
        for start in range(0, steps, chunk):
            _advance(run, start, min(start + chunk, steps))
    for name, potential in run.potentials.items():
        if "potentials" in keep:
            block.potentials[name] = potential.double().cpu().flatten(1).numpy()
    return block


def _advance(run: _Run, start: int, stop: int) -> None:
    """Takes every node through the steps start + 1 to stop, and counts what `Block` calls events at
    each Conv, Linear and pool."""
    signals: dict[str, Tensor] = {}
    block, spec = run.block, run.spec
    for node in spec:
        name = node.name
        if name in run.static:
            fixed = run.static[name]
            signals[name] = fixed.expand(stop - start, *fixed.shape)
            continue
        inputs = [signals[source] for source in node.inputs]
        if isinstance(node, Input):
            signals[name] = _poisson(run, start, stop)
        else:
            signals[name] = _signal(run, node, inputs, start)
        if isinstance(node, Conv | Linear | MaxPool | SumPool):
            events = inputs[0]
            if not spec.is_spiking(node.inputs[0]):
                events = (events != 0).to(run.dtype)
            target = block.synops if isinstance(node, Conv | Linear) else block.pool_operations
            target[name][:, start:stop] = _weighted_counts(events, run.fans[name])
        if name in block.spikes:
            ones = torch.ones_like(signals[name][0, 0], dtype=torch.float64)
            block.spikes[name][:, start:stop] = _weighted_counts(signals[name], ones)
        for source in set(node.inputs):
            if all(reader.name in signals for reader in spec.readers(source)):
                del signals[source]


def _weighted_counts(events: Tensor, weights: Tensor) -> npt.NDArray[np.int64]:
    """Sums of 0s and 1s (steps, images, *shape) times whole-number weights (*shape), by image and
    step; on a processor in float32 where even all of them together stay exact there."""
    flat = weights.flatten()
    if events.device.type != "cpu" or bool(flat.sum() >= 2**24):
        events = events.double()
    counts: npt.NDArray[np.int64] = (
        (events.flatten(2) @ flat.to(events.dtype)).T.long().cpu().numpy()
    )
    return counts


def _signal(run: _Run, node: Node, inputs: list[Tensor], start: int) -> Tensor:
    if isinstance(node, Output):
        values = inputs[0].double().transpose(0, 1).cpu().numpy()
        run.block.outputs[:, start : start + len(inputs[0])] = values
        return inputs[0]
    if isinstance(node, Neuron):
        return _fire(run, node, inputs[0])
    if isinstance(node, MaxPool):
        gate = run.gates.setdefault(node.name, Gate.fresh(node, inputs[0][0]))
        return torch.stack([gate.step(x, start + t + 1) for t, x in enumerate(inputs[0])])
    folded = [signal.flatten(0, 1) for signal in inputs]
    value = applied(node, folded)
    return value.view(*inputs[0].shape[:2], *value.shape[1:])


def _poisson(run: _Run, start: int, stop: int) -> Tensor:
    """Spikes (steps, images, *shape): a pixel k / levels spikes where u * levels < k * 2^32."""
    shape = run.spec.input.shape
    units = torch.arange(int(np.prod(shape)), device=run.device).view(1, 1, *shape)
    step = torch.arange(start + 1, stop + 1, device=run.device).view(-1, 1, *[1] * len(shape))
    image = torch.from_numpy(run.indices).to(run.device).view(1, -1, *[1] * len(shape))
    word: Tensor = random_words.uniform(run.seed, random_words.POISSON, image, step, units)
    pixels = torch.from_numpy(run.images.astype(np.int64)).to(run.device)
    return (word * run.spec.levels < pixels << 32).to(run.dtype)


def _fire(run: _Run, node: Neuron, current: Tensor) -> Tensor:
    """Spikes of one neuron layer over a chunk of steps."""
    block, name = run.block, node.name
    potential = run.potentials.get(name)
    if potential is None:
        potential = torch.full_like(current[0], node.initial_potential)
    reset = neuron.RESETS[node.reset]
    spikes = []
    largest = torch.zeros(len(potential), dtype=run.dtype, device=run.device)
    for z in current:
        fired, potential, charged = neuron.step(potential, z, reset)
        low, high = charged.flatten(1).aminmax(dim=1)
        largest = torch.maximum(largest, torch.maximum(high, -low))
        spikes.append(fired)
    run.potentials[name] = potential
    fired = torch.stack(spikes)
    known = block.largest.get(name, np.zeros(len(potential)))
    block.largest[name] = np.maximum(known, largest.double().cpu().numpy())
    if "counts" in run.keep:
        counts = fired.double().sum(0).long().flatten(1).cpu().numpy()
        block.counts[name] = block.counts.get(name, np.zeros_like(counts)) + counts
    if run.watch is not None:
        run.watch.see(name, fired.flatten(2).cpu().numpy())
    if name in run.record:
        units = torch.tensor(run.record[name], device=run.device)
        train = fired.flatten(2)[:, :, units].transpose(0, 1).bool().cpu().numpy()
        known_train = block.trains.get(name, train[:, :0])
        block.trains[name] = np.concatenate([known_train, train], 1)
    return fired


def _windows_of_inputs(spec: SpikingSpec, node: MaxPool | SumPool) -> Tensor:
    """In how many windows each input lies (C, H, W), float64."""
    shape = spec.shapes[node.inputs[0]]
    vertical, horizontal = torch.zeros(shape[1]), torch.zeros(shape[2])
    for axis, windows in ((vertical, node.rows), (horizontal, node.columns)):
        for first, last in windows:
            axis[first:last] += 1
    return torch.outer(vertical, horizontal).double().expand(shape)
