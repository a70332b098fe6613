"""The measured network: the trained four-convolution one of CIFAR-10, analog and converted.

It is read from `artifacts/ann/cifar10`; until that is there, one is trained for a few minutes and
kept under `bench/.cache`. The conversion is made anew in each run, at percentile 99.9.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from ann2snn.ann.network import build
from ann2snn.ann.recipe import autocast_supported
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.training import train
from ann2snn.ann.weights import load_weights, save_weights
from ann2snn.conversion.convert import convert
from ann2snn.data.dataset import Dataset, load, open_saved, save
from ann2snn.data.settings import DataSettings
from ann2snn.data.source import fingerprint
from ann2snn.spec import SpikingSpec, load_spec, save_spec

PROJECT = Path(__file__).parent.parent
CACHE = PROJECT / "bench" / ".cache"
TRAINED = PROJECT / "artifacts" / "ann" / "cifar10"
DATA = DataSettings(name="cifar10", validation=5000, calibration=2000)
SHORT = AnnSettings(
    network="cifar10_cnn",
    epochs=6,
    batch_size=256,
    optimizer="sgd",
    learning_rate=0.2,
    weight_decay=0.0005,
    label_smoothing=0.1,
    flip=True,
    shift=2,
    precision="bfloat16" if autocast_supported() else "float32",
)
POOLINGS = ("rise", "spikes")  # ours, and the one that the peers have
Labels = npt.NDArray[np.int64]
Images = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Measured:
    """What every mode gets: the analog network, its conversion by pooling, test images in a random
    order that never changes, labels, and the words that name network and data in the results."""

    name: str
    dataset: str
    module: nn.Module
    specs: dict[str, SpikingSpec]
    images: Images
    labels: Labels

    @property
    def spec(self) -> SpikingSpec:
        return self.specs["rise"]


def prepare(folder: Path) -> None:
    """Puts the measured network into `folder`, where `measured` reads it in any process.

    Raises:
        SystemExit: CIFAR-10 is not there; nothing is downloaded.
    """
    dataset = cifar10()
    module, name, settings = _trained(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(module, folder / "weights.safetensors")
    calibration = np.array(dataset.train_images[dataset.calibration])
    for pooling in POOLINGS:
        spec = convert(module, calibration, percentile=99.9, pooling=pooling)
        save_spec(spec, folder / f"{pooling}.safetensors")
    order = np.random.default_rng(0).permutation(len(dataset.test_labels))
    np.save(folder / "images.npy", dataset.test_images[order])
    np.save(folder / "labels.npy", dataset.test_labels[order])
    words = {"name": name, "dataset": dataset.manifest["name"], "settings": asdict(settings)}
    (folder / "network.json").write_text(json.dumps(words), encoding="utf-8")


def measured(folder: Path) -> Measured:
    """The network that `prepare` put there."""
    words = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    images = np.load(folder / "images.npy")
    module = build(AnnSettings(**words["settings"]), images.shape[1:], 10)
    load_weights(module, folder / "weights.safetensors")
    return Measured(
        name=words["name"],
        dataset=words["dataset"],
        module=module.eval().requires_grad_(False),
        specs={pooling: load_spec(folder / f"{pooling}.safetensors") for pooling in POOLINGS},
        images=images,
        labels=np.load(folder / "labels.npy"),
    )


def cifar10() -> Dataset:
    """CIFAR-10 of DATA_ROOT, decoded once.

    Raises:
        SystemExit: it is not there.
    """
    root = Path(os.environ.get("DATA_ROOT") or PROJECT / "data").absolute()
    source = fingerprint(DATA, root)
    if not source:
        raise SystemExit(
            "bench: no CIFAR-10 in DATA_ROOT (torchvision's cifar-10-batches-py or"
            " cifar-10-python.tar.gz, or cifar10-jpg.tar.gz); the benchmark measures its network"
        )
    folder = CACHE / f"cifar10-{_digest(source)}"
    if not (folder / "manifest.json").is_file():
        save(load(DATA, root), folder)
    return open_saved(folder)


def _trained(dataset: Dataset) -> tuple[nn.Module, str, AnnSettings]:
    """The network, its name, and the settings that build it again."""
    if (TRAINED / "weights.safetensors").is_file():
        return trained("cifar10"), *named("cifar10")
    name = f"{SHORT.network}, {SHORT.epochs} epochs"
    path = CACHE / f"weights-{_digest(asdict(SHORT))}.safetensors"
    module = build(SHORT, dataset.train_images.shape[1:], 10)
    if not path.is_file():
        partial = CACHE / f"training-{_digest(asdict(SHORT))}"
        partial.mkdir(parents=True, exist_ok=True)
        save_weights(train(SHORT, dataset, partial).module, path)
    load_weights(module, path)
    return module.eval(), name, SHORT


def named(network: str) -> tuple[str, AnnSettings]:
    """The name of a committed network, and the settings that build it again."""
    record = json.loads((TRAINED.parent / network / "record.json").read_text(encoding="utf-8"))
    known = {field.name for field in fields(AnnSettings)}
    chosen = {k: v for k, v in record["settings"]["ann"].items() if k in known}
    settings = replace(AnnSettings(**chosen), weights="", start="")
    return settings.network, settings


def trained(network: str) -> nn.Module:
    """A network of CIFAR-10 with its committed weights, in eval mode."""
    _, settings = named(network)
    module = build(settings, (3, 32, 32), 10)
    load_weights(module, TRAINED.parent / network / "weights.safetensors")
    return module.eval().requires_grad_(False)


def _digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
