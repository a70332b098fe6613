"""Images in memory, in batches whose order and changes depend on seed and epoch alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ann2snn.ann.augmentation import Augmentation
from ann2snn.ann.seeds import EPOCHS_APART


@dataclass(frozen=True)
class Batches:
    """One epoch over images (N, C, H, W) of whole numbers k for pixels k / levels.

    The last images that fill no batch are left out; each epoch draws another order. A generator
    of its own makes an epoch the same whether a run was resumed before it or not.
    """

    images: Tensor
    labels: Tensor
    levels: int
    batch_size: int
    augmentation: Augmentation
    channels_last: bool
    seed: int
    epoch: int

    def __len__(self) -> int:
        return len(self.labels) // self.batch_size

    def mirrored(self) -> Tensor:
        """The images (N,) whose turn to be mirrored it is, where flips alternate: by chance in the
        first epoch, then those that were not in the epoch before (Jordan 2024)."""
        generator = torch.Generator().manual_seed((self.seed + 1) * EPOCHS_APART - 1)
        first = torch.rand(len(self.labels), generator=generator) < 0.5
        return first ^ (self.epoch % 2 == 1)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(self.seed * EPOCHS_APART + self.epoch)
        order = torch.randperm(len(self.labels), generator=generator)
        mirrored = self.mirrored()
        for index in range(len(self)):
            chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
            pixels = self.images[chosen].float() / self.levels
            pixels = self.augmentation(pixels, generator, mirrored[chosen])
            if self.channels_last:
                pixels = pixels.contiguous(memory_format=torch.channels_last)
            yield pixels, self.labels[chosen]
