"""Random changes of whole batches of images, as tensors, each image by its own draw.

A batch is (N, C, H, W); every function takes its random numbers from the generator it is given, so
the same generator gives the same images.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ann2snn.ann.settings import AnnSettings


@dataclass(frozen=True)
class Augmentation:
    """The random changes of an image; `fill` (C,) is the colour of a blotted-out square."""

    flip: bool
    alternating: bool
    shift: int
    mirrored_border: bool
    rotation: float
    cutout: int
    fill: Tensor

    @staticmethod
    def of(settings: AnnSettings, fill: Tensor) -> "Augmentation":
        return Augmentation(
            settings.flip, settings.flips == "alternating", settings.shift,
            settings.border == "mirrored", settings.rotation, settings.cutout, fill,
        )  # fmt: skip

    def __call__(self, images: Tensor, generator: torch.Generator, mirrored: Tensor) -> Tensor:
        """Float images changed, in a new tensor or the one handed in; `mirrored` (N,) are those
        whose turn it is where flips alternate."""
        if self.flip:
            images = turned(images, mirrored) if self.alternating else flipped(images, generator)
        if self.rotation > 0:
            images = rotated(images, self.rotation, generator)
        if self.shift > 0:
            images = shifted(images, self.shift, generator, mirrored=self.mirrored_border)
        if self.cutout > 0:
            images = cut_out(images, self.cutout, self.fill, generator)
        return images


def flipped(images: Tensor, generator: torch.Generator) -> Tensor:
    """Every image mirrored from left to right with probability 1/2."""
    return turned(images, torch.rand(len(images), generator=generator) < 0.5)


def turned(images: Tensor, chosen: Tensor) -> Tensor:
    """The chosen images (N,) mirrored from left to right."""
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images)


def shifted(
    images: Tensor, most: int, generator: torch.Generator, *, mirrored: bool = False
) -> Tensor:
    """Every image moved by -most..most whole pixels along each axis, zeros moving in, or the image
    mirrored at its border."""
    count, _, height, width = images.shape
    mode = "reflect" if mirrored else "constant"
    padded = F.pad(images, (most, most, most, most), mode).contiguous()
    reach = 2 * most + 1
    rows, columns = torch.randint(0, reach, (2, count), generator=generator)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(count), :, rows, columns]


def rotated(images: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Every image turned about its centre by -most..most degrees, bilinear, zeros moving in."""
    count, _, height, width = images.shape
    angles = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(most)
    cosine, sine = angles.cos(), angles.sin()
    nothing = torch.zeros_like(angles)
    # affine_grid's axes run from -1 to 1 whatever the sides, so a turn needs their ratio
    turn = torch.stack(
        [
            torch.stack([cosine, -sine * height / width, nothing], 1),
            torch.stack([sine * width / height, cosine, nothing], 1),
        ],
        1,
    )
    grid = F.affine_grid(turn, list(images.shape), align_corners=False)
    return F.grid_sample(images.contiguous(), grid, align_corners=False)


def cut_out(images: Tensor, side: int, fill: Tensor, generator: torch.Generator) -> Tensor:
    """Every image with a square of `side` pixels in the colour `fill`, centred anywhere in the
    image, so that a part of it may fall outside (DeVries & Taylor 2017)."""
    count, _, height, width = images.shape
    masks = []
    for size in (height, width):
        starts = torch.randint(0, size, (count, 1), generator=generator) - side // 2
        places = torch.arange(size)
        masks.append((places >= starts) & (places < starts + side))
    mask = masks[0].view(count, 1, height, 1) & masks[1].view(count, 1, 1, width)
    return torch.where(mask, fill.view(1, -1, 1, 1), images)
