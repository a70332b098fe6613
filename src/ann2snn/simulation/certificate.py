"""Whether a run was exact: no sum that it formed could have lost a bit.

Weights and biases are multiples of a power of two, signals too, so every partial sum is one. A sum
is exact, whatever its order, while it stays below 2^p such units (p = 24 bits of float32, 53 of
float64, 31 of whole numbers of 32 bits, one of which says the sign). A neuron's sums are bounded by
the largest potential that the run saw plus the largest step that its weights allow at all.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

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
    SpikingSpec,
    SumPool,
)  # fmt: skip
from ann2snn.spec.graph import arrays_of

BITS = {"float32": 24, "int32": 31, "float64": 53}
FINEST = 60


@dataclass(frozen=True)
class Certificate:
    """`exact`, the node with the least reserve, and its reserve in bits (negative: not exact)."""

    exact: bool
    worst: str
    reserve: float


def certify(
    spec: SpikingSpec, largest: dict[str, float], steps: int, precision: str
) -> Certificate:
    """The certificate of a run whose neurons reached |V + current| of `largest`, by layer.

    The output is accumulated in float64 and bounded by its largest step times `steps`.
    """
    bits, bounds = signal_bits(spec), signal_bounds(spec)
    reserves: dict[str, float] = {}
    for node in spec:
        if node.name not in bits or isinstance(node, Input):
            continue
        limit = BITS[precision]
        reach = bounds[node.name]
        if isinstance(node, Neuron):
            source = node.inputs[0]
            reach = max(largest.get(node.name, 0.0), 1.0) + bounds[source]  # the threshold is 1
            unit = bits[source]
        elif isinstance(node, Output):
            reach, unit, limit = bounds[node.inputs[0]] * steps, bits[node.inputs[0]], 53
        elif isinstance(node, MaxPool) and node.pooling == "rise":
            reach, unit = bounds[node.inputs[0]] * steps, bits[node.name]
        else:
            unit = bits[node.name]
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


def fractional_bits(array: np.ndarray) -> int:
    """The least k for which every element is a multiple of 2^-k; at most 60."""
    units = np.abs(array[array != 0]).ravel()
    if units.size == 0:
        return 0
    mantissa, exponent = np.frexp(units)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)
    return int(min(max(0, (53 - exponent - trailing).max()), FINEST))


@lru_cache(maxsize=4)
def signal_bits(spec: SpikingSpec) -> dict[str, int]:
    """Fractional bits of every signal; static ones are on the spec's grid, and what a neuron reads
    has those of its first potential too."""
    bits: dict[str, int] = {}
    starts: dict[str, int] = {}
    for node in spec:
        if isinstance(node, Neuron):
            start = fractional_bits(np.array([node.initial_potential]))
            starts[node.inputs[0]] = max(start, starts.get(node.inputs[0], 0))
    for node in spec:
        inputs = [bits[name] for name in node.inputs]
        if isinstance(node, Input):
            bits[node.name] = 0 if node.input == "poisson" else _static_bits(spec)
        elif spec.is_static(node.name):
            bits[node.name] = _static_bits(spec)
        elif isinstance(node, Neuron):
            bits[node.name] = 0
        elif isinstance(node, Conv | Linear):
            weight = fractional_bits(node.weight)
            bits[node.name] = max(inputs[0] + weight, fractional_bits(node.bias))
        elif isinstance(node, Affine):
            gain = fractional_bits(node.gain)
            bits[node.name] = max(inputs[0] + gain, fractional_bits(node.bias))
        else:
            bits[node.name] = max(inputs)
        bits[node.name] = max(bits[node.name], starts.get(node.name, 0))
    return bits


def _static_bits(spec: SpikingSpec) -> int:
    return FINEST if spec.grid is None else spec.grid


@lru_cache(maxsize=4)
def signal_bounds(spec: SpikingSpec) -> dict[str, float]:
    """The largest |signal| and |partial sum| that each node can have in one step."""
    bounds: dict[str, float] = {}
    for node in spec:
        bounds[node.name] = _bound(spec, node, [bounds[name] for name in node.inputs])
    return bounds


def _bound(spec: SpikingSpec, node: Node, inputs: list[float]) -> float:
    match node:
        case Input() | Neuron():
            return 1.0
        case Conv() | Linear():
            rows = np.abs(node.weight).reshape(len(node.weight), -1).sum(1)
            return float((rows * inputs[0] + np.abs(node.bias)).max())
        case Affine():
            return float(np.abs(node.gain).max() * inputs[0] + np.abs(node.bias).max())
        case Add():
            return float(sum(inputs))
        case SumPool():
            tall = max(b - a for a, b in node.rows)
            wide = max(b - a for a, b in node.columns)
            return inputs[0] * tall * wide
        case Concat() | Reshape() | MaxPool() | Output():
            return max(inputs)
        case _:
            raise AssertionError(f"{node.kind} has no bound: {sorted(arrays_of(node))}, {spec}")
