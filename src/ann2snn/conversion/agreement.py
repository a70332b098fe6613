"""The traced graph held to the module itself, which runs on a few of the calibration images.

torch.fx runs `forward` once with stand-ins for tensors. What it does not see, it leaves out without
a word: branches on whether x is a tensor, errors that are caught, hooks, memory that two names
share, random numbers. So the network's own outputs are compared with those of the graph. What is
the same on these images and other elsewhere, as a branch on the size of the batch above those
tried, stays unseen.
"""

import random
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import fx, nn
from torch.func import functional_call

from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.analog_network import graph_network
from ann2snn.conversion.layers.registry import Signal, is_last
from ann2snn.conversion.module_state import HALVES, unchanged, unwrapped
from ann2snn.conversion.refusal import ConversionError, title
from ann2snn.conversion.trace import walked

IMAGES = 3
FACTOR = 32  # times the rounding error that float32 makes in the graph itself
LEVEL_ERROR = 0.05
"""Of the largest output, for networks with quantized ReLUs: where rounding moves a sum over the
edge of a level, an activation changes by a whole level."""
UNSEEN = (
    "torch.fx sees no branch on the kind or size of x (isinstance, try), no hook, no random number"
    " and no second name of memory that an operation in place changes; instead: a forward without"
    " them"
)

Tensor = torch.Tensor


def hold_to_module(
    module: nn.Module, graph: AnalogGraph, images: npt.NDArray[Any], levels: int
) -> None:
    """Compares the outputs of `graph`, in float64, with those of `module` for images k / levels: a
    few of them, one by one and together, and one with their pixels in another order.

    The module's outputs are rounded, so a difference counts that is `FACTOR` times larger than what
    rounding to the module's format changes in the graph, and by more than `LEVEL_ERROR` where ReLUs
    are quantized.

    Raises:
        ConversionError: they differ; the message names the first layer that does. Or the module
            fails, gives another kind of output or changes itself.
    """
    module = unwrapped(module)
    pixels = _chosen(images, levels).to(graph.precision)
    own = _own_outputs(module, pixels)
    wanted, short = (_outputs(graph, pixels, kind) for kind in (torch.float64, torch.float32))
    if own.shape != wanted.shape:
        raise ConversionError(
            f"{type(module).__name__} gives outputs of shape {tuple(own.shape)} for"
            f" {len(pixels)} images, its traced form {tuple(wanted.shape)}. {UNSEEN}"
        )
    if not wanted.isfinite().all():
        return  # the statistics say at which layer
    size = float(wanted.abs().max())
    unit = torch.finfo(graph.precision).eps
    lost = float((wanted - short).abs().max()) * unit / torch.finfo(torch.float32).eps
    edges = LEVEL_ERROR * size if graph.levels else 0.0
    allowed = FACTOR * (lost + 4 * unit * size) + edges
    ends = (0, len(pixels) - 1)
    one_by_one = torch.cat([_own_outputs(module, pixels[i : i + 1], seed=i + 1) for i in ends])
    for found, expected in ((own, wanted), (one_by_one, wanted[[0, -1]])):
        difference = (found - expected).abs().max()
        if not difference <= allowed:
            relative = allowed / max(size, torch.finfo(torch.float64).tiny)
            first = _first_difference(module, images.shape[1:], pixels, max(relative, 1e-6))
            raise ConversionError(
                f"{type(module).__name__} computes something else than its traced form: outputs on"
                f" calibration images differ by up to {difference:.3g} (largest output"
                f" {size:.3g}), first {first}. {UNSEEN}"
            )


def _chosen(images: npt.NDArray[Any], levels: int) -> Tensor:
    """Pixels of some images, spread over all, and of one whose pixels are shuffled."""
    places = np.unique(np.linspace(0, len(images) - 1, IMAGES - 1).astype(np.int64))
    some = np.asarray(images[places], np.float64)
    mixed = np.random.default_rng(0).permutation(some.reshape(-1))[: some[0].size]
    return torch.from_numpy(np.concatenate([some, mixed.reshape(1, *some.shape[1:])]) / levels)


def _outputs(graph: AnalogGraph, pixels: Tensor, kind: torch.dtype) -> Tensor:
    *_, (_, last) = graph_network(graph, kind).signals(pixels)
    return (graph.ending(last) if graph.ending else last).double()


def _own_outputs(module: nn.Module, pixels: Tensor, seed: int = 0) -> Tensor:
    """What the module gives, in float64 on the processor, and with random numbers of `seed`."""
    with unchanged(module):
        _seed(seed)
        given = _called(module, pixels)
    if not isinstance(given, Tensor):
        raise ConversionError(
            f"{type(module).__name__} gives {type(given).__name__}; instead: one tensor, a value"
            " for each class"
        )
    return given.double().cpu()


def _seed(seed: int) -> None:
    """Gives all generators other numbers than the trace had, which took some for constants."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (the user's code may draw from it)
    random.seed(seed)


def _called(module: nn.Module, pixels: Tensor) -> Any:
    """The module's answer; one of half precision answers with its numbers in float32, which its
    spiking network stands for."""
    tensors: Mapping[str, Tensor] = dict([*module.named_parameters(), *module.named_buffers()])
    device = next((tensor.device for tensor in tensors.values()), torch.device("cpu"))
    pixels = pixels.to(device)
    try:
        if any(tensor.dtype in HALVES for tensor in tensors.values()):
            full = {n: t.float() if t.dtype in HALVES else t for n, t in tensors.items()}
            return functional_call(module, full, (pixels,))
        return module(pixels)
    except Exception as error:  # whatever the user's own code raises
        raise ConversionError(
            f"{type(module).__name__} was traced, but fails on calibration images:"
            f" {type(error).__name__}: {error}"
        ) from error


class _Recorder(fx.Interpreter):
    """Runs traced operations and keeps a copy of what each one gave."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.seen: dict[str, Any] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        self.seen[n.name] = _copied(value)
        return value


def _copied(value: Any) -> Any:
    return value.detach().double().cpu() if isinstance(value, Tensor) else value


def _first_difference(module: nn.Module, shape: Any, pixels: Tensor, relative: float) -> str:
    """Where the graph, or else what torch.fx traced, first differs from what runs."""
    walk = walked(module, shape)
    with unchanged(module):
        recorder = _Recorder(walk.module, walk.traced)
        try:
            recorder.run(pixels)
            _seed(0)
            calls = _own_calls(module, walk.traced, pixels)
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            return f"where its traced form fails ({error})"
    signals = graph_network(walk.graph, torch.float64).signals(pixels)
    ours = {
        node.name: signal.clone() for node, signal in signals
    }  # a ReLU takes its input's memory
    for node in walk.traced.nodes:
        signal, theirs = walk.values.get(node), recorder.seen[node.name]
        if not isinstance(signal, Signal):
            continue
        own = ours[signal.name]
        if walk.graph.ending and is_last(node):
            own = walk.graph.ending(own)
        if _differ([own], [theirs], relative):
            return f"in {title(node, walk.operation(node))}"
    for node in walk.traced.nodes:
        if node.op != "call_module":
            continue
        if not calls[str(node.target)]:
            return f"at {title(node, walk.operation(node))}, which is not called"
        given, gave = calls[str(node.target)].popleft()
        traced = [recorder.seen[source.name] for source in node.all_input_nodes]
        if _differ(given, traced, relative):
            return f"in what reaches {title(node, walk.operation(node))}"
        if _differ([gave], [recorder.seen[node.name]], relative):
            return f"in {title(node, walk.operation(node))}"
    return "after its last layer"


def _own_calls(
    module: nn.Module, traced: fx.Graph, pixels: Tensor
) -> dict[str, deque[tuple[list[Any], Any]]]:
    """What each layer gets and gives when the module runs, in order of its calls."""
    calls: dict[str, deque[tuple[list[Any], Any]]] = defaultdict(deque)
    handles = []
    for name in {str(node.target) for node in traced.nodes if node.op == "call_module"}:
        given: deque[list[Any]] = deque()

        def before(_: nn.Module, args: Any, given: deque[list[Any]] = given) -> None:
            given.append([_copied(value) for value in args if isinstance(value, Tensor)])

        def after(
            _: nn.Module, __: Any, gave: Any, name: str = name, given: deque[list[Any]] = given
        ) -> None:
            calls[name].append((given.popleft(), _copied(gave)))

        part = module.get_submodule(name)
        handles += [part.register_forward_pre_hook(before), part.register_forward_hook(after)]
    try:
        _called(module, pixels)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _differ(first: Iterable[Any], second: Iterable[Any], relative: float) -> bool:
    """Whether values that are both tensors differ in size, or by more than rounding."""
    for one, other in zip(first, second, strict=False):
        if not (isinstance(one, Tensor) and isinstance(other, Tensor)):
            continue
        if one.numel() != other.numel():
            return True
        one, other = one.double().reshape(-1), other.double().reshape(-1)
        if not (one - other).abs().max() <= relative * other.abs().max().clamp_min(1e-12):
            return True
    return False
