"""Counting one layer's activations as they stream by."""

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.histogram import CHANNEL_BITS, LAYER_BITS, Histogram, bins_of
from ann2snn.spec.nodes import Shape

OCTAVES = 24


def lowest_kept(octave: int) -> int:
    """The lowest bin that channels keep when the layer's maximum lies in `octave`."""
    return max((octave + 1 - OCTAVES) << CHANNEL_BITS, 1)


class Tally:
    """Counts of one layer; numbers enter as (images, channels, ...).

    Channels keep counts down to `OCTAVES` octaves below the layer's maximum; what is smaller counts
    as the smallest. The cut only rises with the maximum, so the end result knows no order.
    """

    def __init__(self, name: str, shape: Shape) -> None:
        self.name = name
        self.width = shape[0]
        self.largest: npt.NDArray[np.float64] = np.zeros(shape[0])
        self._all = torch.zeros(256 << LAYER_BITS, dtype=torch.int64)
        self._images = torch.zeros(256 << LAYER_BITS, dtype=torch.int64)
        self._first = 0
        self._by_channel = torch.zeros(shape[0], 0, dtype=torch.int32)
        self._zeros = torch.zeros(shape[0], dtype=torch.int64)

    def add(self, signal: torch.Tensor) -> None:
        """Takes in the positive parts of a chunk.

        Raises:
            ValueError: a number is not finite.
        """
        # abs turns -0, which clamp lets pass, into 0: its bit pattern is no bin
        values = signal.clamp_min(0).abs_().to(torch.float32).reshape(len(signal), self.width, -1)
        maxima = values.amax(2)
        if not bool(torch.isfinite(maxima).all()):
            raise ValueError(f"{self.name}: its activations on the calibration set are not finite")
        exact = signal.reshape(len(signal), self.width, -1).amax((0, 2)).clamp_min(0)
        self.largest = np.maximum(self.largest, exact.double().numpy())
        fine = bins_of(values, LAYER_BITS)
        self._all += torch.bincount(fine.reshape(-1), minlength=256 << LAYER_BITS)
        of_images = bins_of(maxima.amax(1), LAYER_BITS)
        self._images += torch.bincount(of_images, minlength=256 << LAYER_BITS)
        self._add_channels(fine >> (LAYER_BITS - CHANNEL_BITS), int(fine.max()) >> LAYER_BITS)

    def _add_channels(self, coarse: torch.Tensor, octave: int) -> None:
        self._make_room(octave)
        span = self._by_channel.shape[1]
        # column 0 counts zeros, column 1 what lies below the kept octaves
        place = (coarse - (self._first - 2)).clamp_min_(1)
        place.masked_fill_(coarse == 0, 0)
        place += torch.arange(self.width, dtype=torch.int32)[None, :, None] * (span + 2)
        counts = torch.bincount(place.reshape(-1), minlength=self.width * (span + 2))
        counts = counts.reshape(self.width, span + 2)
        self._zeros += counts[:, 0]
        self._by_channel += counts[:, 2:].to(torch.int32)
        self._by_channel[:, 0] += counts[:, 1].to(torch.int32)

    def _make_room(self, octave: int) -> None:
        """Moves the kept octaves up to `octave`; the lowest bin takes in what falls out."""
        span = OCTAVES << CHANNEL_BITS
        first = lowest_kept(octave)
        if not self._by_channel.shape[1]:
            self._by_channel = torch.zeros(self.width, span, dtype=torch.int32)
            self._first = first
        shift = min(first - self._first, span)
        if shift > 0:
            moved = torch.zeros_like(self._by_channel)
            moved[:, : span - shift] = self._by_channel[:, shift:]
            moved[:, 0] += self._by_channel[:, :shift].sum(1).to(torch.int32)
            self._by_channel, self._first = moved, first

    def histogram(self) -> Histogram:
        """Of all activations."""
        return Histogram.of(self._all.numpy())

    def image_maxima(self) -> Histogram:
        """Of each image's largest activation."""
        return Histogram.of(self._images.numpy())

    def channels(self) -> tuple[Histogram, ...]:
        """Of each channel's activations."""
        found = []
        for zeros, counts in zip(self._zeros.numpy(), self._by_channel.numpy(), strict=True):
            positive = Histogram.of(counts, CHANNEL_BITS, self._first)
            some = [0] if zeros else []
            bins = np.array([*some, *positive.bins], np.int64)
            found.append(
                Histogram(bins, np.array([zeros] * len(some) + [*positive.counts]), CHANNEL_BITS)
            )
        return tuple(found)
