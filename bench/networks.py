"""Networks of today beside the measured one: R, and the picoseconds of a synaptic operation.

Where the project has trained weights they are taken; the others have random weights and batch norm
set by data: their speed is that of trained networks at the same rates, their answers mean nothing.
"""

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ann2snn.conversion.convert import convert
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.simulation.simulate import certain_block, decided
from ann2snn.spec import SpikingSpec, save_spec
from ann2snn.spec.cost import macs_per_image
from bench.mode import Images, pixels
from bench.network import cifar10, trained

CLASSES = 10
SET_BY = 256  # images that set batch norm
BATCH = 64
STEPS = 32
PEER_STEPS = 3  # of a peer that needs a forward pass for each
PEERS = ("spikingjelly", "snntorch", "sinabs")
REPETITIONS = 3

Row = dict[str, Any]


def resnet18() -> nn.Module:
    """torchvision's, in the form for images of 32x32: a first convolution of 3x3, no first pool."""
    from torchvision.models import resnet18 as build

    network: nn.Module = build(num_classes=CLASSES)
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


def vgg11_bn() -> nn.Module:
    from torchvision.models import vgg11_bn as build

    network: nn.Module = build(num_classes=CLASSES)
    return network


def mobilenet_v2() -> nn.Module:
    from torchvision.models import mobilenet_v2 as build

    network: nn.Module = build(num_classes=CLASSES)
    return network


def untrained(build: Callable[[], nn.Module], images: Images) -> nn.Module:
    """The network in eval mode; its batch norms hold mean and variance of what `images` make of its
    random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the mean over all batches
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        with torch.no_grad():
            network.train()(pixels(images, channels_last=False))
    return network.eval().requires_grad_(False)


@dataclass(frozen=True)
class Subject:
    """A network to measure: `build(images)` gives it in eval mode, from images that may set its
    batch norms."""

    name: str
    weights: str
    build: Callable[[Images], nn.Module]


SUBJECTS = (
    Subject("four convolutions", "trained", lambda _: trained("cifar10")),
    Subject("24 / 64 / 256 / 256", "trained", lambda _: trained("cifar10_fast")),
    Subject("ResNet-18, CIFAR form", "random", lambda images: untrained(resnet18, images)),
    Subject("vgg11_bn on 32x32", "random", lambda images: untrained(vgg11_bn, images)),
    Subject("mobilenet_v2 on 32x32", "random", lambda images: untrained(mobilenet_v2, images)),
)


def network_rows(
    folder: Path, peak: Callable[[Path], float], threads: tuple[int, ...], smoke: bool
) -> Iterator[Row]:
    """A row for each network, tool and number of threads. `peak(path)` gives the MB that a process
    of its own takes to simulate the spec at that path, above weights and images."""
    dataset = cifar10()
    setting = np.array(dataset.train_images[:SET_BY])
    images = np.array(dataset.test_images[: 2 if smoke else BATCH])
    for subject in SUBJECTS:
        network = subject.build(setting).to(memory_format=torch.channels_last)
        specs = {pooling: convert(network, setting[:BATCH], pooling=pooling)
                 for pooling in ("rise", "spikes")}  # fmt: skip
        save_spec(specs["rise"], folder / "measured.safetensors")
        own = {"peak_mb": round(peak(folder / "measured.safetensors"), 1)}
        for count in threads:
            torch.set_num_threads(count)
            for row in _timed(network, specs, images, count, STEPS // 16 if smoke else STEPS):
                named = {"table": "networks", "network": subject.name, "weights": subject.weights,
                         "mmac": round(macs_per_image(specs["rise"]) / 1e6, 1), "threads": count,
                         "images": len(images)}  # fmt: skip
                yield named | row | (own if row["tool"] == "ann2snn" else {})
        torch.set_num_threads(1)


def _timed(
    network: nn.Module, specs: dict[str, SpikingSpec], images: Images, threads: int, steps: int
) -> Iterator[Row]:
    """The event engine and each peer, timed in turn with the analog network's forward pass."""
    inputs = pixels(images)
    spec, places = specs["rise"], np.arange(len(images))
    settings = SimulationSettings(steps=steps, engine="event", threads=threads)
    settings = decided(settings, spec, images)
    runs: dict[str, tuple[int, Callable[[], object]]] = {
        "forward": (1, lambda: network(inputs)),
        "ann2snn": (steps, lambda: certain_block(spec, images, places, settings)),
    }
    for peer in PEERS if threads == 1 else ():
        twin = _twin(peer, specs["spikes"])
        if twin is not None:
            runs[peer] = (PEER_STEPS, partial(twin.run, torch.from_numpy(images), PEER_STEPS))
    least = {tool: time_of(run) / len(images) / count for tool, (count, run) in runs.items()}
    for _ in range(REPETITIONS - 1):
        for tool, (count, run) in runs.items():
            least[tool] = min(least[tool], time_of(run, warm=True) / len(images) / count)
    block, _ = certain_block(spec, images, places, settings)
    operations = sum(int(counts.sum()) for counts in block.synops.values()) / len(images) / steps
    spikes = sum(int(counts.sum()) for counts in block.spikes.values()) / len(images) / steps
    for tool, seconds in least.items():
        if tool == "forward":
            continue
        row = {"tool": tool, "microseconds": round(1e6 * seconds, 2),
               "ratio": round(seconds / least["forward"], 4)}  # fmt: skip
        if tool == "ann2snn":
            row |= {"steps": steps, "picoseconds": round(1e12 * seconds / operations, 1),
                    "mean_rate": round(spikes / spec.neurons, 4)}  # fmt: skip
        else:
            row |= {"steps": PEER_STEPS}
        yield row


def _twin(peer: str, spec: SpikingSpec) -> Any:
    """The network in the peer's neurons, channels last; None where the peer is not installed."""
    module = importlib.import_module(f"ann2snn.exchange.targets.{peer}")
    try:
        twin = getattr(module, f"to_{peer}")(spec)
    except ImportError:
        return None
    return twin.to(memory_format=torch.channels_last)


@torch.no_grad()
def time_of(run: Callable[[], object], *, warm: bool = False) -> float:
    """Seconds of a run; one that is not `warm` runs once before."""
    if not warm:
        run()
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
