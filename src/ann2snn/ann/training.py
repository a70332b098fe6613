"""Training by Lightning: the same bits for the same settings, resumed after a kill or not."""

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ann2snn.ann.augmentation import Augmentation
from ann2snn.ann.batches import Batches
from ann2snn.ann.first_weights import prepare
from ann2snn.ann.network import build
from ann2snn.ann.recipe import averaged, check_processor, optimizer_of, schedule_of
from ann2snn.ann.scaling import fold_scales
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.weights import accuracy
from ann2snn.numerics.atomic_files import sealed_content, write_sealed
from ann2snn.settings import SettingError

History = dict[str, list[float]]
OnEpoch = Callable[[int, dict[str, float]], None]
CHECKPOINT = "last"
SAMPLE = 5000
"""Training images that first weights are taken from, if not fewer than twice as many are there."""


class TrainingData(Protocol):
    """The part of `ann2snn.data.dataset.Dataset` that training reads."""

    @property
    def train_images(self) -> npt.NDArray[np.uint8]: ...
    @property
    def train_labels(self) -> npt.NDArray[np.int64]: ...
    @property
    def fit(self) -> npt.NDArray[np.int64]: ...
    @property
    def validation(self) -> npt.NDArray[np.int64]: ...
    @property
    def levels(self) -> int: ...
    @property
    def manifest(self) -> Any: ...


@dataclass(frozen=True)
class Trained:
    """A network in eval mode, and one number per epoch for loss and accuracies (percent)."""

    module: nn.Module
    history: History


def train(
    settings: AnnSettings,
    dataset: TrainingData,
    partial: Path,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Trains a fresh network by the recipe, on all training images (`final`) or on those not held
    out for validation.

    A checkpoint in `partial` after every epoch lets a killed training go on, to the same bits.
    `on_epoch(epoch, numbers)` is called after each epoch.

    Raises:
        SettingError: bfloat16 on a processor without it, or a batch larger than the data.
    """
    check_processor(settings)
    chosen = np.arange(len(dataset.train_labels)) if settings.final else dataset.fit
    if len(chosen) < settings.batch_size:
        raise SettingError(
            f"batch_size must be at most the {len(chosen)} training images,"
            f" got {settings.batch_size}"
        )
    images = torch.from_numpy(np.array(dataset.train_images[chosen]))
    labels = torch.from_numpy(np.array(dataset.train_labels[chosen]))
    torch.set_num_threads(settings.threads)
    shape, classes = tuple(images.shape[1:]), len(dataset.manifest["classes"])
    network = build(settings, shape, classes, training=True)
    prepare(settings, network, images[:: max(1, len(images) // SAMPLE)].float() / dataset.levels)
    if settings.channels_last:
        network = network.to(memory_format=torch.channels_last)
    fill = images.float().mean((0, 2, 3)) / dataset.levels
    batches = Batches(
        images, labels, dataset.levels, settings.batch_size,
        Augmentation.of(settings, fill), settings.channels_last, settings.seed, 0,
    )  # fmt: skip
    module = _lightning_module(settings, network, batches, dataset, on_epoch)
    _fit(settings, module, partial)
    trained = fold_scales(module.best.to(memory_format=torch.contiguous_format)).eval()
    return Trained(trained.requires_grad_(False), module.history)


def _fit(settings: AnnSettings, module: Any, partial: Path) -> None:
    import pytorch_lightning as pl
    from pytorch_lightning.callbacks import ModelCheckpoint

    checkpoint = partial / f"{CHECKPOINT}.ckpt"
    resumed = str(checkpoint) if sealed_content(checkpoint) is not None else None
    with _quiet():
        keeper = ModelCheckpoint(
            dirpath=partial, filename=CHECKPOINT, every_n_epochs=1, enable_version_counter=False,
            save_on_train_epoch_end=True,
        )  # fmt: skip
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=settings.epochs,
            precision="bf16-mixed" if settings.precision == "bfloat16" else "32-true",
            logger=False,
            callbacks=[keeper],
            enable_progress_bar=settings.progress,
            enable_model_summary=False,
            reload_dataloaders_every_n_epochs=1,
            deterministic=True,
            num_sanity_val_steps=0,
            plugins=[_sealed_checkpoints()],
        )
        # under deterministic algorithms torch fills fresh tensors, which takes time at every step;
        # nothing here reads memory before it is written
        flags: Any = torch.utils.deterministic
        known, flags.fill_uninitialized_memory = flags.fill_uninitialized_memory, False
        try:
            trainer.fit(module, ckpt_path=resumed, weights_only=True)
        finally:
            flags.fill_uninitialized_memory = known
            torch.use_deterministic_algorithms(False)


def _sealed_checkpoints() -> Any:
    """What writes and reads checkpoints; a damaged one would resume to other weights."""
    from lightning_fabric.plugins import CheckpointIO

    class Sealed(CheckpointIO):
        def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:  # noqa: ARG002
            content = io.BytesIO()
            torch.save(checkpoint, content)
            write_sealed(Path(path), content.getvalue())

        def load_checkpoint(
            self,
            path: Any,
            map_location: Any = None,
            weights_only: Any = True,  # noqa: ARG002 (whatever is asked for, nothing is unpickled)
        ) -> Any:
            content = sealed_content(Path(path))
            assert content is not None, "it has just been looked at"
            return torch.load(io.BytesIO(content), map_location, weights_only=True)

        def remove_checkpoint(self, path: Any) -> None:
            Path(path).unlink(missing_ok=True)

    return Sealed()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Lightning's advice about loaders, loggers and hardware to itself."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _lightning_module(
    settings: AnnSettings,
    network: nn.Module,
    batches: Batches,
    dataset: TrainingData,
    on_epoch: OnEpoch | None,
) -> Any:
    """The Lightning module; made here, since Lightning is imported only to train."""
    import pytorch_lightning as pl

    steps_per_epoch = len(batches)
    held_out = () if settings.final else dataset.validation

    class Fit(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.average = averaged(settings, network, steps_per_epoch)
            self.history: History = {}
            self.loss_sum = torch.zeros(())
            self.right_sum = torch.zeros(())

        @property
        def best(self) -> nn.Module:
            return self.network if self.average is None else self.average.module

        def train_dataloader(self) -> Batches:
            return replace(batches, epoch=self.trainer.current_epoch)

        def configure_optimizers(self) -> Any:
            optimizer = optimizer_of(settings, self.network)
            schedule = schedule_of(settings, optimizer, settings.epochs * steps_per_epoch)
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": schedule, "interval": "step"},
            }

        def on_train_epoch_start(self) -> None:
            self.loss_sum, self.right_sum = torch.zeros(()), torch.zeros(())

        def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:  # noqa: ARG002
            images, labels = batch
            outputs = self.network(images)
            loss = F.cross_entropy(
                outputs.float(), labels, label_smoothing=settings.label_smoothing
            )
            self.loss_sum += loss.detach()
            self.right_sum += (outputs.detach().argmax(1) == labels).float().mean()
            return loss

        def on_train_batch_end(self, *_: Any) -> None:
            if self.average is not None:
                self.average.update_parameters(self.network)

        def on_train_epoch_end(self) -> None:
            numbers = {
                "train_loss": float(self.loss_sum) / steps_per_epoch,
                "train_accuracy": 100 * float(self.right_sum) / steps_per_epoch,
            }
            if len(held_out):
                images, labels = dataset.train_images[held_out], dataset.train_labels[held_out]
                found = accuracy(self.best, images, labels, batches.levels)
                numbers["validation_accuracy"] = found
            for name, value in numbers.items():
                self.history.setdefault(name, []).append(value)
            if on_epoch is not None:
                on_epoch(self.trainer.current_epoch + 1, numbers)

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["history"] = self.history

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.history = checkpoint["history"]

    return Fit()
