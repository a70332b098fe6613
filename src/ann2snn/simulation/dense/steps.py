"""All steps of a block of images, in plain torch.

The network is feed-forward and a step is synchronous, so a node can take a chunk of steps at once:
time is folded into the batch for everything without state, and only neurons and max-pools walk
through the steps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.simulation.compared_rates import Watch
from ann2snn.simulation.constant_currents import static_signals
from ann2snn.simulation.dense.layers import applied, full_products
from ann2snn.simulation.dense.max_pooling import PoolState
from ann2snn.simulation.engines import Task
from ann2snn.simulation.image_block import Block
from ann2snn.simulation.settings import available_cores
from ann2snn.spec import SpikingSpec, nodes
from ann2snn.spec.cost import event_costs
from ann2snn.spec.interpretation import Interpretation

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
    sent: dict[str, Tensor] = field(default_factory=dict)
    pools: dict[str, PoolState] = field(default_factory=dict)
    costs: dict[str, Tensor] = field(default_factory=dict)


def run_task(task: Task) -> Block:
    """The block of a task, with what it compares."""
    settings = task.settings
    with _torchs_threads(settings.threads or available_cores()):
        watch = None
        if settings.compare:
            watch = Watch(task.spec, task.images, task.places, settings.seed)
        block = simulate_block(
            task.spec, task.images, task.places, steps=settings.steps, seed=settings.seed,
            precision=task.precision, device=settings.device, record=task.units, watch=watch,
        )  # fmt: skip
    block.compared = watch.arrays() if watch else {}
    return block


@contextmanager
def _torchs_threads(wanted: int) -> Iterator[None]:
    """Within, torch has so many threads."""
    known = torch.get_num_threads()
    try:
        if known != wanted:
            torch.set_num_threads(wanted)
        yield
    finally:
        if known != wanted:
            torch.set_num_threads(known)


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
    block = Block.empty(spec, n, steps)
    run = _Run(
        spec, images, indices, seed, getattr(torch, precision), torch.device(device), block,
        keep, record or {}, watch,
    )  # fmt: skip
    for name, signal in static_signals(spec, images).items():
        run.static[name] = torch.from_numpy(signal).to(run.device, run.dtype)
    for name, (_, counts) in event_costs(spec).items():
        run.costs[name] = torch.from_numpy(counts.astype(np.float64)).to(run.device)
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
    """Takes every node through the steps start + 1 to stop, and counts the events (`Block`) at each
    node that they cost something."""
    signals: dict[str, Tensor] = {}
    block, spec = run.block, run.spec
    for node in spec:
        name = node.name
        if name in run.static:
            fixed = run.static[name]
            signals[name] = fixed.expand(stop - start, *fixed.shape)
            continue
        inputs = [signals[source] for source in node.inputs]
        signals[name] = STEPS[node](run, node, inputs, start, stop)
        if name in run.costs:
            events = inputs[0]
            if spec.is_signed(node.inputs[0]):
                events = events.abs()
            elif not spec.is_spiking(node.inputs[0]):
                events = (events != 0).to(run.dtype)
            counted = getattr(block, event_costs(spec)[name][0])[name]
            counted[:, start:stop] = _weighted_counts(events, run.costs[name])
        if name in block.spikes:
            sent, ones = signals[name], torch.ones_like(signals[name][0, 0], dtype=torch.float64)
            if name in block.negative:
                below = (sent < 0).to(run.dtype)
                block.negative[name][:, start:stop] = _weighted_counts(below, ones)
                sent = sent.abs()
            block.spikes[name][:, start:stop] = _weighted_counts(sent, ones)
        for source in set(node.inputs):
            if all(reader.name in signals for reader in spec.readers(source)):
                del signals[source]


def _weighted_counts(events: Tensor, weights: Tensor) -> npt.NDArray[np.int64]:
    """Sums of up to 2 (steps, images, *shape) times whole-number weights (*shape), by image and
    step; on a processor in float32 where even all of them together stay exact there."""
    flat = weights.flatten()
    if events.device.type != "cpu" or bool(2 * flat.sum() >= 2**24):
        events = events.double()
    counts = (events.flatten(2) @ flat.to(events.dtype)).T.long()
    found: npt.NDArray[np.int64] = counts.cpu().numpy()
    return found


# the signal (steps, images, *shape) of a node that changes with time, for the steps after `start`
STEPS: Interpretation[Callable[[_Run, Any, list[Tensor], int, int], Tensor]] = Interpretation(
    "dense step"
)


@STEPS.of(
    nodes.Conv, nodes.Linear, nodes.Affine, nodes.Add, nodes.Concat, nodes.Select, nodes.Reshape,
    nodes.SumPool,
)  # fmt: skip
def _stateless(_: _Run, node: nodes.Node, inputs: list[Tensor], _start: int, _stop: int) -> Tensor:
    value = applied(node, [signal.flatten(0, 1) for signal in inputs])
    return value.view(*inputs[0].shape[:2], *value.shape[1:])


@STEPS.of(nodes.Input)
def _image(run: _Run, node: nodes.Input, _inputs: list[Tensor], start: int, stop: int) -> Tensor:
    spikes = INPUTS[node.input].spikes
    assert spikes is not None
    units = torch.arange(int(np.prod(node.shape)), device=run.device).view(1, 1, *node.shape)
    ones = [1] * len(node.shape)
    step = torch.arange(start + 1, stop + 1, device=run.device).view(-1, 1, *ones)
    image = torch.from_numpy(run.indices).to(run.device).view(1, -1, *ones)
    pixels = torch.from_numpy(run.images.astype(np.int64)).to(run.device)
    fired: Tensor = spikes(run.seed, image, step, units, pixels, run.spec.levels)
    return fired.to(run.dtype)


@STEPS.of(nodes.MaxPool)
def _chosen(run: _Run, node: nodes.MaxPool, inputs: list[Tensor], start: int, _stop: int) -> Tensor:
    pool = run.pools.setdefault(node.name, PoolState.fresh(node, inputs[0][0]))
    return torch.stack([pool.step(x, start + t + 1) for t, x in enumerate(inputs[0])])


@STEPS.of(nodes.Output)
def _received(
    run: _Run, _node: nodes.Output, inputs: list[Tensor], start: int, stop: int
) -> Tensor:
    values = inputs[0].double().transpose(0, 1).cpu().numpy()
    run.block.outputs[:, start:stop] = values
    return inputs[0]


@STEPS.of(nodes.Neuron)
def _fired(run: _Run, node: nodes.Neuron, inputs: list[Tensor], _start: int, _stop: int) -> Tensor:
    """V <- V + current; spikes of V; the reset (Rueckauer et al. 2016, section 2; threshold 1)."""
    (current,) = inputs
    block, name = run.block, node.name
    potential = run.potentials.get(name)
    if potential is None:
        potential = torch.zeros_like(current[0]) + torch.as_tensor(
            node.initial_potential, dtype=run.dtype, device=run.device
        )
    sent = run.sent.get(name, torch.zeros_like(potential))
    fires, after = SPIKES[node.spikes].fired, RESETS[node.reset].after
    spikes = []
    largest = torch.zeros(len(potential), dtype=run.dtype, device=run.device)
    for z in current:
        charged = potential + z
        fired = fires(charged, sent).to(run.dtype)
        potential, sent = after(charged, fired), sent + fired
        low, high = charged.flatten(1).aminmax(dim=1)
        largest = torch.maximum(largest, torch.maximum(high, -low))
        spikes.append(fired)
    run.potentials[name], run.sent[name] = potential, sent
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
        kind = torch.int8 if run.spec.is_signed(name) else torch.bool
        train = fired.flatten(2)[:, :, units].transpose(0, 1).to(kind).cpu().numpy()
        known_train = block.trains.get(name, train[:, :0])
        block.trains[name] = np.concatenate([known_train, train], 1)
    return fired
