"""All steps of a block of images by compiled kernels, on several threads.

An image goes through all its steps before the next one starts, so its potentials stay in the core's
own cache; images are dealt to plain threads, and the kernels hold no interpreter lock. (numba's own
parallel loops abort or hang beside torch and fork.) No number depends on the dealing.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ann2snn.simulation.constant_currents import static_signals
from ann2snn.simulation.event.arena import aligned
from ann2snn.simulation.event.driver import run
from ann2snn.simulation.event.layout import Layout
from ann2snn.simulation.event.lowering import Lowering
from ann2snn.simulation.event.poisson import limits_of
from ann2snn.simulation.event.program import Program, is_long
from ann2snn.simulation.image_block import Block
from ann2snn.simulation.settings import available_cores
from ann2snn.spec import SpikingSpec

MOST_STEPS = 16  # of a tile
GRAB = 2  # images that a thread takes at a time; one when few are left
SLACK = 64  # elements behind a list that kernels may overwrite


def simulate_block(
    spec: SpikingSpec,
    images: npt.NDArray[np.integer],
    indices: npt.NDArray[np.int64],
    *,
    steps: int,
    seed: int,
    precision: str = "int32",
    threads: int = 0,
    keep: frozenset[str] = frozenset(),
    record: dict[str, list[int]] | None = None,
    exit_margin: float = 0.0,
    memory: int = 64,
) -> Block:
    """Simulates images of whole numbers k (N, C, H, W), pixels k / spec.levels; gives the same
    numbers as the dense engine.

    `indices` are the images' true places, which random numbers count by; `threads` 0 takes all
    cores. `keep` may hold "counts" and "potentials"; `record` names units of neuron layers whose
    spike trains are wanted. An image leaves after the step at which the best class leads by
    `exit_margin` in accumulated output (`answers.early_exit`); 0 lets none leave.
    `memory` bounds, in MB a thread, the signals of the steps that a layer takes at a time.

    `precision` is that of potentials and currents: int32 counts them in the finest unit of each
    signal, in the memory of float32 with 128 times its range. An image that leaves that range is
    told by `largest`, as one that leaves the exact range of float64 (`certificate.inexact_images`).

    Raises:
        RuntimeError: a thread failed; the message names its image.
    """
    wanted = tuple((name, tuple(units)) for name, units in (record or {}).items())
    program = _lowered(spec, precision, is_long(spec, steps), keep, wanted)
    count = min(threads or available_cores(), len(images))
    work = _Work(spec, program, images, indices, seed, steps, keep, count, exit_margin)
    fits = max(1, (memory << 20) // program.bytes_a_step)
    tile = 1 if exit_margin else min(steps, MOST_STEPS, fits)
    benches = [_Bench.of(program, precision, tile, spec.classes) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        try:
            for ended in [pool.submit(work.take, bench) for bench in benches]:
                ended.result()
        except BaseException:  # the other threads finish their image and stop
            work.stopped = True
            raise
    return work.finished()


@lru_cache(maxsize=4)
def _lowered(
    spec: SpikingSpec,
    precision: str,
    long: bool,
    keep: frozenset[str],
    record: tuple[tuple[str, tuple[int, ...]], ...],
) -> Program:
    """The program of a spec, which never changes; kept for the blocks to come."""
    units = {name: list(chosen) for name, chosen in record}
    return Lowering(spec, precision, long, keep, units).lowered()


@dataclass
class _Bench:
    """The memory of one thread: signals of a tile of steps, an image's state, lists."""

    values: np.ndarray
    state: np.ndarray
    bits: np.ndarray
    estimates: np.ndarray
    counts: np.ndarray
    events: np.ndarray
    places: np.ndarray
    summed: npt.NDArray[np.float64]

    @staticmethod
    def of(program: Program, precision: str, tile: int, classes: int) -> "_Bench":
        longest = max(program.longest, tile) + SLACK
        return _Bench(
            aligned(tile * program.values, precision).reshape(tile, program.values),
            aligned(program.state.size, precision),
            aligned(tile * program.words, "uint64").reshape(tile, program.words),
            aligned(program.estimates, "uint32"),
            aligned(program.counts, program.count_type),
            aligned(tile * longest, "uint16").reshape(tile, longest),
            aligned((tile + 1) * longest, "uint64").reshape(tile + 1, longest),
            np.zeros(classes),
        )

    def clear(self, program: Program) -> None:
        self.state[:] = program.state
        for array in (self.estimates, self.counts, self.summed):
            array[:] = 0


@dataclass
class _Work:
    """The images of a block, handed out to threads, and their results: a row per image, where
    kernels write them, and the parts of it by node in `block`."""

    spec: SpikingSpec
    program: Program
    images: npt.NDArray[np.integer]
    indices: npt.NDArray[np.int64]
    seed: int
    steps: int
    keep: frozenset[str]
    threads: int
    exit_margin: float
    next: int = 0
    block: Block = field(init=False)
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        n, results = len(self.images), self.program.results
        self.block = block = Block.empty(self.spec, n, self.steps)
        self.operations = np.zeros((n, results.slots, self.steps), np.int64)
        self.largest = np.zeros((n, len(results.marks)))
        self.units = np.zeros((n, sum(size for _, size in results.units.values())), np.int64)
        width = sum(size for _, size in results.trains.values())
        self.trains = np.zeros((n, self.steps, width), np.int8)
        for store, slots in (
            (block.spikes, results.spikes),
            (block.negative, results.negative),
            (block.synops, results.synops),
            (block.pool_operations, results.pool_operations),
        ):
            store |= {name: self.operations[:, slot] for name, slot in slots.items()}
        for name, (place, size) in results.units.items():
            block.counts[name] = self.units[:, place : place + size]
        if "potentials" in self.keep:
            for name in results.potentials:
                units = int(np.prod(self.spec.shapes[name]))
                block.potentials[name] = np.zeros((n, units))

    def finished(self) -> Block:
        """The block in units of the threshold, once all images are done."""
        block, results = self.block, self.program.results
        (read,) = self.spec.output.inputs
        block.outputs = np.ldexp(block.outputs, -self.program.fractions[read])
        for name, mark in results.marks.items():
            block.largest[name] = np.ldexp(self.largest[:, mark], -self._fraction(name))
        for name, (place, size) in results.trains.items():
            kind = np.int8 if self.spec.is_signed(name) else np.bool_
            block.trains[name] = self.trains[:, :, place : place + size].astype(kind)
        return block

    def take(self, bench: _Bench) -> None:
        """Takes images until none is left or another thread failed."""
        while not self.stopped:
            with self.lock:
                left = len(self.images) - self.next
                grab = GRAB if left > GRAB * self.threads else 1
                rows = range(self.next, self.next + min(grab, left))
                self.next = rows.stop
            if not rows:
                return
            for row in rows:
                try:
                    self.simulate(row, bench)
                except Exception as error:
                    self.stopped = True
                    raise RuntimeError(f"image {self.indices[row]} failed: {error}") from error

    def simulate(self, row: int, bench: _Bench) -> None:
        """All steps of one image."""
        program, block, results = self.program, self.block, self.program.results
        bench.clear(program)
        signals = static_signals(self.spec, self.images[row : row + 1]) if results.statics else {}
        for name, place in results.statics.items():
            values = Layout.of(self.spec.shapes[name]).filled(signals[name][0])
            values = np.ldexp(values, program.fractions[name])
            bench.values[0, place : place + values.size] = values
        (read,) = self.spec.output.inputs
        taken = run(
            program.operations, program.shorts, program.weights, program.reals, program.tables,
            bench.values, bench.state, bench.bits, bench.estimates, bench.counts,
            bench.events, bench.places, self.images[row].ravel().astype(np.float64),
            self._limits(row),
            self.seed & 0xFFFFFFFF, int(self.indices[row]), self.operations[row],
            block.outputs[row], self.largest[row], self.units[row], self.trains[row],
            bench.summed, float(np.ldexp(self.exit_margin, program.fractions[read])),
        )  # fmt: skip
        if taken < 0:
            raise ValueError(f"the program has an operation of unknown code {-taken}")
        block.taken[row] = taken
        for name in block.potentials:
            layout = Layout.of(self.spec.shapes[name])
            kept = bench.state[results.potentials[name] :][: layout.pixels * layout.width]
            units = kept[layout.places(layout.width)].astype(np.float64)
            block.potentials[name][row] = np.ldexp(units, -self._fraction(name))

    def _limits(self, row: int) -> npt.NDArray[np.int64]:
        """The limits of the words that let a pixel spike; none where pixels are currents."""
        if self.spec.is_static(self.spec.input.name):
            return np.zeros(0, np.int64)
        return limits_of(self.images[row], self.spec.levels)

    def _fraction(self, name: str) -> int:
        """That of a layer's potentials and currents."""
        (source,) = self.spec[name].inputs
        return self.program.fractions[source]
