"""An epoch through Lightning against a bare torch loop over the same batches."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from ann2snn.ann.augmentation import Augmentation
from ann2snn.ann.batches import Batches
from ann2snn.ann.network import build
from ann2snn.ann.recipe import optimizer_of, schedule_of
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.training import train
from ann2snn.data.dataset import Dataset


@dataclass(frozen=True)
class Epoch:
    """Seconds of an epoch, the least of `repetitions`."""

    images: int
    repetitions: int
    lightning: float
    bare: float


def epochs(dataset: Dataset, settings: AnnSettings, repetitions: int) -> Epoch:
    """Trains one epoch of `settings` both ways, in turn."""
    pairs = [(through_lightning(dataset, settings), bare(dataset, settings))
             for _ in range(repetitions)]  # fmt: skip
    lightning, loop = (min(pair[i] for pair in pairs) for i in (0, 1))
    return Epoch(len(dataset.train_labels), repetitions, lightning, loop)


def through_lightning(dataset: Dataset, settings: AnnSettings) -> float:
    """Seconds of a second epoch: the first also sets everything up."""
    marks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train(settings, dataset, Path(folder), lambda *_: marks.append(time.perf_counter()))
    return marks[1] - marks[0]


def bare(dataset: Dataset, settings: AnnSettings) -> float:
    """Seconds of an epoch of the same network, batches, changes of images and optimizer."""
    images, labels = torch.from_numpy(dataset.train_images), torch.from_numpy(dataset.train_labels)
    torch.set_num_threads(settings.threads)
    network = build(settings, tuple(images.shape[1:]), 10, training=True)
    network = network.to(memory_format=torch.channels_last).train()
    fill = images.float().mean((0, 2, 3)) / dataset.levels
    batches = Batches(images, labels, dataset.levels, settings.batch_size,
                      Augmentation.of(settings, fill), True, settings.seed, 0)  # fmt: skip
    optimizer = optimizer_of(settings, network)
    schedule = schedule_of(settings, optimizer, len(batches))
    half = settings.precision == "bfloat16"
    started = time.perf_counter()
    for inputs, classes in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = F.cross_entropy(network(inputs), classes)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return time.perf_counter() - started
