"""Random spiking networks of every kind of node, on a grid on which float64 sums are exact."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.numerics.windows import pool_windows
from ann2snn.simulation.dense import steps as dense
from ann2snn.simulation.event import threads as event
from ann2snn.simulation.image_block import Block
from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Node,
    Output,
    Reshape,
    Select,
    SpecError,
    SpikingSpec,
    SumPool,
)
from tests.simulation.guarded_memory import guarded_memory

ONE = np.ones(())
KINDS = ("conv", "conv3", "conv3", "neuron", "neuron", "pool", "sum", "affine", "add", "concat",
         "select", "reshape", "linear")  # fmt: skip


PASSING = tuple(name for name, row in POOLINGS.items() if row.passes)


class Growing:
    """A network that grows by nodes of random fields; each reads a node that stands already. Its
    images have `image_shape`, or a random shape; its neurons send any of the kinds of `spikes`."""

    def __init__(
        self,
        seed: int,
        coding: str,
        flat: bool = False,
        image_shape: tuple[int, ...] = (),
        spikes: tuple[str, ...] = tuple(SPIKES),
    ) -> None:
        self.rng, self.spikes = np.random.default_rng(seed), spikes
        shape = (7,) if flat else (int(self.rng.choice([1, 3, 17])), *self.rng.integers(4, 9, 2))
        shape = image_shape or tuple(int(size) for size in shape)
        self.nodes: list[Node] = [
            Input(name="image", inputs=(), scale=ONE, shape=shape, input=coding)
        ]
        self.shapes: dict[str, tuple[int, ...]] = {"image": shape}

    def numbers(self, *shape: int, most: int = 16) -> npt.NDArray[np.float64]:
        return np.ldexp(self.rng.integers(-most // 2, most, shape), -4).astype(np.float64)

    def append(self, kind: type[Node], inputs: tuple[str, ...], **fields: Any) -> None:
        name = f"{kind.__name__.lower()}{len(self.nodes)}"
        node = kind(name=name, inputs=inputs, scale=ONE, **fields)
        shape = node.output_shape([self.shapes[source] for source in inputs])
        self.nodes.append(node)
        self.shapes[name] = shape

    def grow(self, kind: str) -> None:
        """Adds a node of `kind`, or nothing where it does not fit."""
        names = list(self.shapes)
        late = names[-3:] if self.rng.random() < 0.8 else names
        source = str(self.rng.choice(late))
        shape = self.shapes[source]
        before = len(self.nodes)
        try:
            getattr(self, f"_{kind}")(source, shape)
            SpikingSpec(*self.finished())
        except SpecError:
            for node in self.nodes[before:]:
                del self.shapes[node.name]
            del self.nodes[before:]

    def _conv(self, source: str, shape: tuple[int, ...]) -> None:
        if len(shape) != 3:
            return
        groups = int(self.rng.choice([g for g in (1, 2, 3, shape[0]) if shape[0] % g == 0]))
        kernel = self.rng.integers(1, 4, 2)
        out = groups * int(self.rng.integers(1, 4))
        self.append(
            Conv, (source,), groups=groups, bias=self.numbers(out),
            weight=self.numbers(out, shape[0] // groups, int(kernel[0]), int(kernel[1])),
            stride=tuple(self.rng.integers(1, 3, 2).tolist()),
            padding=tuple(self.rng.integers(0, 3, 4).tolist()),
            dilation=tuple(self.rng.integers(1, 3, 2).tolist()),
        )  # fmt: skip

    def _conv3(self, source: str, shape: tuple[int, ...]) -> None:
        if len(shape) != 3:
            return
        out, tall = int(self.rng.choice([1, 5, 16, 33, 70, 130])), int(self.rng.integers(1, 4))
        self.append(
            Conv, (source,), bias=self.numbers(out),
            weight=self.numbers(out, shape[0], tall, 3),
            padding=tuple(self.rng.integers(0, 4, 4).tolist()),
        )  # fmt: skip

    def _linear(self, source: str, shape: tuple[int, ...]) -> None:
        if len(shape) == 3:
            self.append(Reshape, (source,), shape=(int(np.prod(shape)),))
            source, shape = list(self.shapes)[-1], (int(np.prod(shape)),)
        out = int(self.rng.choice([1, 9, 65, 140]))
        self.append(Linear, (source,), weight=self.numbers(out, shape[0]), bias=self.numbers(out))

    def _neuron(self, source: str, shape: tuple[int, ...]) -> None:
        spikes = str(self.rng.choice(self.spikes))
        resets = SPIKES[spikes].resets or tuple(RESETS)
        self.append(
            Neuron, (source,), spikes=spikes, reset=str(self.rng.choice(resets)),
            initial_potential=float(self.rng.choice([-0.5, 0.0, 0.5, 0.5, 1.0, 1.5])),
        )  # fmt: skip

    def _windows(self, size: int) -> tuple[tuple[int, int], ...]:
        kernel = int(self.rng.integers(1, min(size, 3) + 1))
        return pool_windows(size, kernel, int(self.rng.integers(1, 3)), kernel // 2)

    def _pool(self, source: str, shape: tuple[int, ...]) -> None:
        if len(shape) == 3:
            signed = SpikingSpec(*self.finished()).is_signed(source)
            pooling = "rise" if signed else str(self.rng.choice(PASSING))
            self.append(MaxPool, (source,), pooling=pooling, rows=self._windows(shape[1]),
                        columns=self._windows(shape[2]))  # fmt: skip

    def _sum(self, source: str, shape: tuple[int, ...]) -> None:
        if len(shape) == 3:
            self.append(SumPool, (source,), rows=self._windows(shape[1]),
                        columns=self._windows(shape[2]))  # fmt: skip

    def _affine(self, source: str, shape: tuple[int, ...]) -> None:
        partial = shape if self.rng.random() < 0.5 else (shape[0], *[1] * (len(shape) - 1))
        self.append(Affine, (source,), gain=self.numbers(*partial),
                    bias=self.numbers(*partial, most=8))  # fmt: skip

    def _add(self, source: str, shape: tuple[int, ...]) -> None:
        alike = [name for name, other in self.shapes.items() if other == shape]
        self.append(Add, tuple(dict.fromkeys((source, *self.rng.choice(alike, 2).tolist()))))

    def _concat(self, source: str, shape: tuple[int, ...]) -> None:
        alike = [name for name, other in self.shapes.items() if other[1:] == shape[1:]]
        self.append(Concat, tuple(dict.fromkeys((source, *self.rng.choice(alike, 2).tolist()))))

    def _select(self, source: str, shape: tuple[int, ...]) -> None:
        alike = [name for name, other in self.shapes.items() if other[1:] == shape[1:]]
        inputs = tuple(dict.fromkeys((source, *self.rng.choice(alike, 2).tolist())))
        count = sum(self.shapes[name][0] for name in inputs)
        size = int(self.rng.integers(1, count + 2))
        self.append(Select, inputs, channels=tuple(self.rng.integers(0, count, size).tolist()))

    def _reshape(self, source: str, shape: tuple[int, ...]) -> None:
        units = int(np.prod(shape))
        divisors = [d for d in (1, 2, 3, 4, 5) if units % d == 0]
        channels = int(self.rng.choice(divisors))
        self.append(Reshape, (source,), shape=(channels, 1, units // channels))

    def finished(self) -> tuple[tuple[Node, ...], int, int]:
        """All signals that nothing reads, flattened and joined into a last layer of classes."""
        nodes, used = list(self.nodes), {name for node in self.nodes for name in node.inputs}
        ends = [node.name for node in self.nodes if node.name not in used]
        flat, size = [], 0
        for name in ends:
            units = int(np.prod(self.shapes[name]))
            nodes.append(Reshape(name=f"flat_{name}", inputs=(name,), scale=ONE, shape=(units,)))
            flat.append(f"flat_{name}")
            size += units
        weight = np.ldexp(np.random.default_rng(1).integers(-9, 9, (3, size)), -6).astype(float)
        nodes += [
            Concat(name="joined", inputs=tuple(flat), scale=ONE),
            Linear(name="classes", inputs=("joined",), scale=ONE, weight=weight, bias=np.zeros(3)),
            Output(name="output", inputs=("classes",), scale=ONE),
        ]
        return tuple(nodes), 14, 16


def random_network(
    seed: int,
    coding: str,
    kinds: list[str],
    *,
    flat: bool = False,
    spikes: tuple[str, ...] = tuple(SPIKES),
) -> SpikingSpec:
    """A network that grew by `kinds`, one after another."""
    growing = Growing(seed, coding, flat, spikes=spikes)
    for kind in kinds:
        growing.grow(kind)
    return SpikingSpec(*growing.finished())


def random_images(spec: SpikingSpec, count: int, seed: int = 0) -> npt.NDArray[np.integer]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, spec.levels + 1, (count, *spec.input.shape), dtype=np.int64)


def both(
    spec: SpikingSpec, images: npt.NDArray[np.integer], *, steps: int, precision: str = "float64"
) -> tuple[Block, Block]:
    """What the event engine in `precision` and the dense one in float64 make of the images, all
    that can be kept kept; the event engine writes nowhere but into its arrays."""
    keep = frozenset({"counts", "potentials"})
    neurons = [node.name for node in spec if node.kind == "neuron"]
    record = {name: [0, int(np.prod(spec.shapes[name])) - 1] for name in neurons}
    indices = np.arange(len(images), dtype=np.int64) * 3 + 5
    with guarded_memory():
        ours = event.simulate_block(
            spec, images, indices, steps=steps, seed=7, precision=precision, threads=2, keep=keep,
            record=record,
        )  # fmt: skip
    theirs = dense.simulate_block(
        spec, images, indices, steps=steps, seed=7, precision="float64", keep=keep, record=record
    )
    return ours, theirs


def assert_same(ours: Block, theirs: Block) -> None:
    """Every array of both blocks is equal, bit for bit. Potentials of a network whose chains of
    currents outgrow the 53 bits of float64 may differ in the last."""
    mine, other = ours.arrays(), theirs.arrays()
    assert mine.keys() == other.keys()
    for name, array in mine.items():
        if name.startswith(("largest", "potentials")):
            np.testing.assert_allclose(array, other[name], rtol=1e-14, atol=1e-14, err_msg=name)
        else:
            np.testing.assert_array_equal(array, other[name], err_msg=name, strict=True)
