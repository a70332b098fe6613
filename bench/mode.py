"""What a row of the table measures: a way of running the converted network."""

import importlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ann2snn.spec import Conv, Linear, MaxPool, Neuron, Reshape, SpikingSpec
from bench.network import Measured

Images = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float64]
Simulation = Callable[[Images, int], Scores]
"""Images (N, C, H, W) and steps to the output's accumulated signal (N, classes)."""


@dataclass(frozen=True)
class Mode:
    """A tool and how it is used. `home` names the function `module:function` that builds the
    simulation of `batch` images at a time.

    `batches` are tried, and the fastest is measured; one repetition of the timing takes `steps`.
    Modes that are `quick` are measured in the short form too.
    """

    tool: str
    mode: str
    home: str
    batches: tuple[int, ...] = (25, 50, 100)
    precision: str = "float32"
    steps: int = 20
    quick: bool = False

    def build(self, network: Measured, batch: int) -> Simulation:
        """The simulation.

        Raises:
            ImportError: the tool is not installed.
        """
        module, _, function = self.home.partition(":")
        built: Simulation = getattr(importlib.import_module(module), function)(network, batch)
        return built


FORWARD = Mode("torch", "ANN forward, channels last", "bench.ours:forward", (50, 100, 250), steps=1)
EVENT = Mode("ann2snn", "event", "bench.ours:event_engine", (64,), "int32", steps=300, quick=True)
MODES = (
    EVENT,
    Mode("ann2snn", "dense", "bench.ours:dense_engine", (25, 50), steps=10),
    Mode("plain torch", "loop", "bench.peers.plain:build"),
    Mode("plain torch", "compiled", "bench.peers.plain:build_compiled", (50,)),
    Mode("spikingjelly", "documented", "bench.peers.spikingjelly:documented"),
    Mode("spikingjelly", "channels last", "bench.peers.spikingjelly:best"),
    Mode("spikingjelly", "compiled", "bench.peers.spikingjelly:best_compiled", (50,), quick=True),
    Mode("spikingjelly", "layer by layer", "bench.peers.spikingjelly:layer_by_layer", (10, 25)),
    Mode("snntorch", "documented", "bench.peers.snntorch:documented"),
    Mode("snntorch", "channels last", "bench.peers.snntorch:best"),
    Mode("snntorch", "compiled", "bench.peers.snntorch:best_compiled", (50,), quick=True),
    Mode("sinabs", "documented", "bench.peers.sinabs:documented", (10, 25)),
    Mode("sinabs", "channels last", "bench.peers.sinabs:best", (10, 25)),
    Mode("norse", "documented", "bench.peers.norse:documented"),
    Mode("norse", "channels last", "bench.peers.norse:best"),
)


def layers(spec: SpikingSpec, neuron: Callable[[], nn.Module]) -> list[nn.Module]:
    """The converted network as torch modules, with a peer's neuron after each layer that spikes.

    Max-pools hand on every spike of their window, which is all that the peers offer.
    """
    found: list[nn.Module] = []
    for node in spec:
        match node:
            case Conv():
                out, per_group, *kernel = node.weight.shape
                top, bottom, left, right = node.padding
                if (top, left) != (bottom, right) or node.groups != 1:
                    raise ValueError(f"{node.name}: the peers' network has plain convolutions only")
                conv = nn.Conv2d(per_group, out, tuple(kernel), node.stride, (top, left))
                found.append(_with_weights(conv, node))
            case Linear():
                found.append(_with_weights(nn.Linear(*node.weight.shape[::-1]), node))
            case Neuron():
                found.append(neuron())
            case MaxPool():
                found.append(nn.MaxPool2d(node.rows[0][1] - node.rows[0][0]))
            case Reshape():
                found.append(nn.Flatten())
    return found


def _with_weights(module: Any, node: Conv | Linear) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(node.weight))
        module.bias.copy_(torch.from_numpy(node.bias))
    frozen: nn.Module = module.requires_grad_(False)
    return frozen


def compiled(step: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`step` through torch.compile.

    Raises:
        ImportError: there is no C++ compiler, which that needs on a processor.
    """
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        raise ImportError("torch.compile needs a C++ compiler (g++, or CXX)")
    found: Callable[..., Tensor] = torch.compile(step)
    return found


def pixels(images: Images, channels_last: bool = True) -> Tensor:
    """Images in [0, 1]."""
    found = torch.from_numpy(images).float() / 255
    return found.contiguous(memory_format=torch.channels_last) if channels_last else found


def in_batches(simulate: Callable[[Images, int], Tensor], batch: int) -> Simulation:
    """The simulation of any number of images, `batch` at a time; without gradients."""

    @torch.no_grad()
    def simulation(images: Images, steps: int) -> Scores:
        found = [
            simulate(images[start : start + batch], steps) for start in range(0, len(images), batch)
        ]
        return torch.cat(found).double().numpy()

    return simulation
