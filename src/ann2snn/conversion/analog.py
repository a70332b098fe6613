"""The analog network, run node by node: for statistics, and as the check of a conversion."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from ann2snn.conversion.graph import AnalogGraph
from ann2snn.numerics.windows import Windows, pool_windows
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
)
from ann2snn.spec.nodes import Array

Tensor = torch.Tensor


class AnalogNetwork:
    """A graph's arrays as tensors of one precision, ready to run on batches (N, *shape)."""

    def __init__(
        self,
        nodes: list[Node],
        dtype: torch.dtype,
        ceilings: Mapping[str, Array],
        factors: Mapping[str, float] | None = None,
    ) -> None:
        self.nodes = nodes
        self.dtype = dtype
        self.factors = factors or {}
        self.tensors: dict[str, dict[str, Tensor]] = {}
        for node in nodes:
            arrays = {name: getattr(node, name, None) for name in ("weight", "bias", "gain")}
            # rows of a float32 product differ in the last bit with their place in the batch
            kind = torch.float64 if isinstance(node, Linear) else dtype
            self.tensors[node.name] = {
                name: torch.from_numpy(np.ascontiguousarray(value)).to(dtype).to(kind)
                for name, value in arrays.items()
                if value is not None
            }
            if node.name in ceilings:
                self.tensors[node.name]["ceiling"] = torch.from_numpy(ceilings[node.name]).to(dtype)
        self.last_use = {name: node.name for node in nodes for name in node.inputs}
        readers = Counter(name for node in nodes for name in node.inputs)
        self.sums = {n.name for n in nodes if isinstance(n, Conv | Linear) and readers[n.name] == 1}

    @torch.no_grad()
    def signals(self, images: Tensor) -> Iterator[tuple[Node, Tensor]]:
        """Every node with its signal, in order; a signal is dropped after its last reader, and the
        memory of one that only a ReLU reads becomes the ReLU's."""
        kept: dict[str, Tensor] = {}
        for node in self.nodes:
            if isinstance(node, Input):
                value = images.to(self.dtype).reshape(len(images), *node.shape)
            else:
                value = self._signal(node, [kept[name] for name in node.inputs])
            kept[node.name] = value
            yield node, value
            for name in node.inputs:
                if self.last_use[name] == node.name:
                    kept.pop(name, None)

    def _signal(self, node: Node, inputs: list[Tensor]) -> Tensor:
        first, own = inputs[0], self.tensors[node.name]
        match node:
            case Linear():
                return F.linear(first.double(), own["weight"], own["bias"]).to(self.dtype)
            case Conv():
                top, bottom, left, right = node.padding
                if top != bottom or left != right:
                    first, top, left = F.pad(first, (left, right, top, bottom)), 0, 0
                return F.conv2d(
                    first, own["weight"], own["bias"], node.stride, (top, left), node.dilation,
                    node.groups,
                )  # fmt: skip
            case Affine():
                return first * own["gain"] + own["bias"]
            case Add():
                return torch.stack(inputs).sum(0) if len(inputs) > 2 else first + inputs[1]
            case Concat():
                return torch.cat(inputs, 1)
            case Reshape():
                return first.reshape(len(first), *node.shape)
            case SumPool() | MaxPool():
                pooled = _pooled(node, first)
                factor = self.factors.get(node.name, 1.0)
                return pooled if factor == 1 else pooled * factor
            case Neuron():
                ceiling = own.get("ceiling")
                own_memory = node.inputs[0] in self.sums
                rectified = first.clamp_min_(0) if own_memory else first.clamp_min(0)
                return rectified if ceiling is None else torch.minimum(rectified, ceiling)
            case Output():
                return first
            case _:
                raise AssertionError(f"no analog form of {node.kind}")


def _pooled(node: SumPool | MaxPool, signal: Tensor) -> Tensor:
    """Sum or maximum of each window."""
    kernels = [_sliding(windows, size) for windows, size in _axes(node, signal)]
    if kernels[0] and kernels[1]:
        (kernel, stride) = zip(*kernels, strict=True)
        if isinstance(node, MaxPool):
            # slices of whole rows, then of columns, are compared much faster than max_pool2d does
            return _sliding_maxima(_sliding_maxima(signal, 2, *kernels[0]), 3, *kernels[1])
        return F.avg_pool2d(signal, kernel, stride, divisor_override=1)
    rows = []
    for top, bottom in node.rows:
        band = signal[:, :, top:bottom]
        band = band.amax(2) if isinstance(node, MaxPool) else band.sum(2)
        columns = [band[:, :, left:right] for left, right in node.columns]
        picked = [c.amax(2) if isinstance(node, MaxPool) else c.sum(2) for c in columns]
        rows.append(torch.stack(picked, -1))
    return torch.stack(rows, 2)


def _sliding_maxima(signal: Tensor, axis: int, kernel: int, stride: int) -> Tensor:
    reach = signal.shape[axis] - kernel + 1
    everything = (slice(None),) * axis
    shifted = (signal[*everything, slice(i, i + reach, stride)] for i in range(kernel))
    return functools.reduce(torch.maximum, shifted)


def _axes(node: SumPool | MaxPool, signal: Tensor) -> list[tuple[Windows, int]]:
    return [(node.rows, signal.shape[2]), (node.columns, signal.shape[3])]


def _sliding(windows: Windows, size: int) -> tuple[int, int] | None:
    """Kernel and stride of windows that a plain pool of an axis of `size` would have."""
    kernel = windows[0][1]
    stride = windows[1][0] if len(windows) > 1 else size
    plain = kernel <= size and stride > 0 and windows == pool_windows(size, kernel, stride, 0)
    return (kernel, stride) if plain else None


def graph_network(graph: AnalogGraph, dtype: torch.dtype) -> AnalogNetwork:
    """The folded network in the analog network's units: here the scale of a `SumPool` divides."""
    ceilings = {name: np.array(ceiling) for name, ceiling in graph.ceilings.items()}
    factors = {node.name: float(node.scale) for node in graph if isinstance(node, SumPool)}
    return AnalogNetwork(list(graph), dtype, ceilings, factors)


def analog_outputs(
    spec: SpikingSpec,
    images: npt.NDArray[np.integer],
    ceilings: Mapping[str, float] | None = None,
) -> Array:
    """Outputs (N, classes) of the normalized analog network: the spec with ReLUs for neurons.

    In float64 and in the units of the output's scale; times `spec.output.scale` they are the
    original network's. `images` are whole numbers k, pixels k / spec.levels. `ceilings` are the
    limits of saturating ReLUs in the original's units, as a `ConversionPlan` knows them.
    """
    limits = {
        name: _per_channel(np.array(value / spec[name].scale), len(spec.shapes[name]))
        for name, value in (ceilings or {}).items()
    }
    network = AnalogNetwork(list(spec), torch.float64, limits)
    pixels = torch.from_numpy(images.astype(np.float64)) / spec.levels
    outputs = {node.name: signal for node, signal in network.signals(pixels) if node is spec.output}
    return np.array(outputs[spec.output.name].numpy())


def _per_channel(values: Array, axes: int) -> Array:
    return values.reshape(-1, *[1] * (axes - 1)) if values.ndim else values
