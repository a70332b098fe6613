"""The analog network, run node by node: for statistics, and as the check of a conversion."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from ann2snn.conversion.analog_graph import AnalogGraph, along
from ann2snn.numerics.windows import pool_windows
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
    SpikingSpec,
    SumPool,
)
from ann2snn.spec.graph import arrays_of
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import Array

Tensor = torch.Tensor


class Run:
    """How one node computes on batches of `dtype`, and its weights and ceiling as tensors; `levels`
    is what a quantized ReLU rounds to, else 0.

    `averages` lets the scale of a `SumPool` divide. `overwrites` says that no other node reads the
    memory of the input. `steady` keeps the last bits of a Linear whatever the batch.
    """

    def __init__(
        self,
        node: Node,
        dtype: torch.dtype,
        ceiling: Array | None,
        averages: bool,
        overwrites: bool,
        steady: bool = True,
    ) -> None:
        self.levels = 0
        self.dtype, self.averages, self.overwrites = dtype, averages, overwrites
        arrays = {name: array for name, array in arrays_of(node).items() if name != "scale"}
        if ceiling is not None:
            arrays["ceiling"] = ceiling
        # rows of a float32 product differ in the last bit with their place in the batch
        precision = torch.float64 if steady and isinstance(node, Linear) else dtype
        self.tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(dtype).to(precision)
            for name, array in arrays.items()
        }


# (node, run, signals of its inputs, or images) -> signal (N, *shape)
FORMS: Interpretation[Callable[..., Tensor]] = Interpretation("analog form")
FORMS.of(Input)(lambda node, run, images: images.to(run.dtype).reshape(-1, *node.shape))
FORMS.of(Add)(lambda _node, _run, *signals: functools.reduce(torch.add, signals))
FORMS.of(Concat)(lambda _node, _run, *signals: torch.cat(signals, 1))
FORMS.of(Select)(lambda node, _run, *signals: torch.cat(signals, 1)[:, list(node.channels)])
FORMS.of(Reshape)(lambda node, _run, signal: signal.reshape(-1, *node.shape))
FORMS.of(Output)(lambda _node, _run, signal: signal)


@FORMS.of(Conv)
def _convolved(node: Conv, run: Run, signal: Tensor) -> Tensor:
    top, bottom, left, right = node.padding
    if top != bottom or left != right:
        signal, top, left = F.pad(signal, (left, right, top, bottom)), 0, 0
    options = (node.stride, (top, left), node.dilation, node.groups)
    return F.conv2d(signal, run.tensors["weight"], run.tensors["bias"], *options)


@FORMS.of(Linear)
def _connected(_: Linear, run: Run, signal: Tensor) -> Tensor:
    return F.linear(signal.to(run.tensors["weight"].dtype), **run.tensors).to(run.dtype)


@FORMS.of(Affine)
def _multiplied(_: Affine, run: Run, signal: Tensor) -> Tensor:
    return signal * run.tensors["gain"] + run.tensors["bias"]


@FORMS.of(SumPool)
def _summed(node: SumPool, run: Run, signal: Tensor) -> Tensor:
    kernel, stride = _plain_pool(node, signal)
    if kernel:
        total = F.avg_pool2d(signal, kernel, stride, divisor_override=1)
    else:
        total = _by_window(node, signal, torch.sum)
    return total * float(node.scale) if run.averages and node.scale != 1 else total


@FORMS.of(MaxPool)
def _largest(node: MaxPool, _: Run, signal: Tensor) -> Tensor:
    kernel, stride = _plain_pool(node, signal)
    if not kernel:
        return _by_window(node, signal, torch.amax)
    # slices of whole rows, then of columns, are compared much faster than max_pool2d does
    rows = _sliding_maxima(signal, 2, kernel[0], stride[0])
    return _sliding_maxima(rows, 3, kernel[1], stride[1])


@FORMS.of(Neuron)
def _rectified(_: Neuron, run: Run, signal: Tensor) -> Tensor:
    positive = signal.clamp_min_(0) if run.overwrites else signal.clamp_min(0)
    limited = "ceiling" in run.tensors
    clipped = torch.minimum(positive, run.tensors["ceiling"]) if limited else positive
    if not run.levels:
        return clipped
    ceiling = run.tensors["ceiling"]
    return torch.floor(clipped / ceiling * run.levels + 0.5) / run.levels * ceiling


def _by_window(node: SumPool | MaxPool, signal: Tensor, reduced: Callable[..., Tensor]) -> Tensor:
    """Sum or maximum of each window, over rows first."""
    bands = [reduced(signal[:, :, top:bottom], 2) for top, bottom in node.rows]
    rows = [[reduced(band[:, :, left:right], 2) for left, right in node.columns] for band in bands]
    return torch.stack([torch.stack(row, -1) for row in rows], 2)


def _sliding_maxima(signal: Tensor, axis: int, kernel: int, stride: int) -> Tensor:
    reach = signal.shape[axis] - kernel + 1
    everything = (slice(None),) * axis
    shifted = (signal[*everything, slice(i, i + reach, stride)] for i in range(kernel))
    return functools.reduce(torch.maximum, shifted)


def _plain_pool(node: SumPool | MaxPool, signal: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Kernel and stride if a pool without padding has these windows; else two empty tuples."""
    found = []
    for windows, size in zip((node.rows, node.columns), signal.shape[2:], strict=True):
        kernel, stride = windows[0][1], windows[1][0] if len(windows) > 1 else size
        if kernel > size or stride <= 0 or windows != pool_windows(size, kernel, stride, 0):
            return (), ()
        found.append((kernel, stride))
    kernels, strides = zip(*found, strict=True)
    return kernels, strides


class AnalogNetwork:
    """Nodes with tensors of one precision, ready to run on batches (N, *shape)."""

    def __init__(
        self,
        nodes: list[Node],
        dtype: torch.dtype,
        ceilings: Mapping[str, Array],
        *,
        averages: bool,
        steady: bool = True,
    ) -> None:
        self.nodes = nodes
        self.last_use = {name: node.name for node in nodes for name in node.inputs}
        readers = Counter(name for node in nodes for name in node.inputs)
        # only these always give new memory
        sums = {n.name for n in nodes if isinstance(n, Conv | Linear) and readers[n.name] == 1}
        self.runs = {
            n.name: Run(n, dtype, ceilings.get(n.name), averages, sums.issuperset(n.inputs), steady)
            for n in nodes
        }

    @torch.no_grad()
    def signals(self, images: Tensor) -> Iterator[tuple[Node, Tensor]]:
        """Every node with its signal, in order; a signal is dropped after its last reader, and the
        memory of one that only a ReLU reads becomes the ReLU's."""
        kept: dict[str, Tensor] = {}
        for node in self.nodes:
            inputs = [kept[name] for name in node.inputs] or [images]
            kept[node.name] = FORMS[node](node, self.runs[node.name], *inputs)
            yield node, kept[node.name]
            for name in node.inputs:
                if self.last_use[name] == node.name:
                    kept.pop(name, None)


def graph_network(graph: AnalogGraph, dtype: torch.dtype | None = None) -> AnalogNetwork:
    """The network in the analog network's units, in which average-pools divide: in its working
    precision for statistics, or wholly in `dtype`."""
    ceilings = {name: np.array(ceiling) for name, ceiling in graph.ceilings.items()}
    network = AnalogNetwork(
        list(graph), dtype or graph.precision, ceilings, averages=True, steady=dtype is None
    )
    for name, levels in graph.levels.items():
        network.runs[name].levels = levels
    return network


def analog_outputs(
    spec: SpikingSpec,
    images: npt.NDArray[np.integer],
    ceilings: Mapping[str, float] | None = None,
) -> Array:
    """Outputs (N, classes) of the normalized analog network: the spec with ReLUs for neurons.

    In float64 and in the units of the output's scale; times `spec.output.scale` they are the
    original network's. `images` are whole numbers k, pixels k / spec.levels. `ceilings` are the
    limits of saturating ReLUs in the original's units, as a `Conversion` knows them.
    """
    limits = {
        name: along(np.array(value / spec[name].scale), len(spec.shapes[name]))
        for name, value in (ceilings or {}).items()
    }
    network = AnalogNetwork(list(spec), torch.float64, limits, averages=False)
    pixels = torch.from_numpy(images.astype(np.float64)) / spec.levels
    outputs = {node.name: signal for node, signal in network.signals(pixels) if node is spec.output}
    return np.array(outputs[spec.output.name].numpy())
