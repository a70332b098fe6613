"""Whether a run was exact: no sum that it formed could have lost a bit.

Weights and biases are multiples of a power of two, signals too, so every partial sum is one. A sum
is exact, whatever its order, while it stays below 2^p such units (p = 24 bits of float32, 53 of
float64, 31 of whole numbers of 32 bits, one of which says the sign). A neuron's sums are bounded by
the largest potential that the run saw plus the largest step that its weights allow at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.numerics.exact_sums import BITS, FINEST, fractional_bits
from ann2snn.spec import SpikingSpec, nodes
from ann2snn.spec.interpretation import Interpretation


@dataclass(frozen=True)
class Certificate:
    """`exact`, the node with the least reserve, and its reserve in bits (negative: not exact)."""

    exact: bool
    worst: str
    reserve: float


@dataclass(frozen=True)
class _Run:
    bits: dict[str, int]
    bounds: dict[str, float]
    largest: dict[str, float]
    steps: int


RANGES: Interpretation[Callable[[Any, _Run], tuple[float, int]]] = Interpretation(
    "range of sums", leaves_out={nodes.Input: "sums nothing"}
)  # the largest sum that a node forms, and the fractional bits of its units


@RANGES.of(
    nodes.Conv, nodes.Linear, nodes.Affine, nodes.Add, nodes.Concat, nodes.Select, nodes.Reshape,
    nodes.SumPool,
)  # fmt: skip
def _of_one_step(node: nodes.Node, run: _Run) -> tuple[float, int]:
    return run.bounds[node.name], run.bits[node.name]


@RANGES.of(nodes.MaxPool)
def _of_estimates(node: nodes.MaxPool, run: _Run) -> tuple[float, int]:
    """Sums of currents, in their precision; other estimates are whole numbers."""
    steps = run.steps if POOLINGS[node.pooling].currents else 1
    return run.bounds[node.name] * steps, run.bits[node.name]


@RANGES.of(nodes.Neuron)
def _of_potentials(node: nodes.Neuron, run: _Run) -> tuple[float, int]:
    reach = max(run.largest.get(node.name, 0.0), 1.0)  # the threshold is 1
    return reach + run.bounds[node.inputs[0]], run.bits[node.inputs[0]]


@RANGES.of(nodes.Output)
def _of_all_steps(node: nodes.Output, run: _Run) -> tuple[float, int]:
    return run.bounds[node.name] * run.steps, run.bits[node.name]


def certify(
    spec: SpikingSpec, largest: dict[str, float], steps: int, precision: str
) -> Certificate:
    """The certificate of a run whose neurons reached |V + current| of `largest`, by layer.

    The output is accumulated in float64 and bounded by its largest step times `steps`.
    """
    run = _Run(signal_bits(spec), signal_bounds(spec), largest, steps)
    reserves: dict[str, float] = {}
    for node in spec.nodes[1:]:
        reach, unit = RANGES[node](node, run)
        limit = BITS["float64" if node is spec.output else precision]
        reserves[node.name] = limit - unit - np.log2(max(reach, 2.0**-FINEST))
    worst = min(reserves, key=lambda name: reserves[name])
    return Certificate(bool(reserves[worst] > 0), worst, float(reserves[worst]))


def inexact_images(
    spec: SpikingSpec, largest: dict[str, npt.NDArray[np.float64]], steps: int, precision: str
) -> npt.NDArray[np.int64]:
    """The places of those images that could have lost a bit, from |V + current| by layer and image
    (images,)."""
    if not certify(spec, {}, steps, precision).exact:
        return np.arange(max((len(values) for values in largest.values()), default=0))
    bits, bounds = signal_bits(spec), signal_bounds(spec)
    lost = np.zeros(1, np.bool_)
    for name, values in largest.items():
        source = spec[name].inputs[0]
        lost = lost | (values + bounds[source] >= 2.0 ** (BITS[precision] - bits[source]))
    return np.flatnonzero(lost)


@lru_cache(maxsize=4)
def signal_bits(spec: SpikingSpec) -> dict[str, int]:
    """Fractional bits of every signal; static ones are on the spec's grid, and those that a neuron
    reads have the bits of its first potential too."""
    starts: dict[str, int] = {}
    for node in spec:
        if isinstance(node, nodes.Neuron):
            start = fractional_bits(np.asarray(node.initial_potential, np.float64))
            starts[node.inputs[0]] = max(start, starts.get(node.inputs[0], 0))
    grid = FINEST if spec.grid is None else spec.grid

    def bits(node: nodes.Node, inputs: list[int]) -> int:
        own = grid if spec.is_static(node.name) else node.fractional_bits(inputs)
        return max(own, starts.get(node.name, 0))

    return spec.through(bits)


@lru_cache(maxsize=4)
def signal_bounds(spec: SpikingSpec) -> dict[str, float]:
    """The largest |signal| and |partial sum| that each node can have in one step."""
    return spec.through(lambda node, inputs: node.bound(inputs))
