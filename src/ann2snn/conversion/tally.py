"""Counting one layer's activations as they stream by."""

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.histogram import BITS, Histogram, bins_of
from ann2snn.spec.nodes import Shape

OCTAVES = 16
SPAN = OCTAVES << BITS
# below this many numbers a channel, sorting a chunk is faster than clearing bins for each channel
FEW = 4096
Reals = npt.NDArray[np.floating]


def lowest_kept(highest: int) -> int:
    """The lowest bin that a channel keeps when its maximum lies in bin `highest`."""
    return max(((highest >> BITS) + 1 - OCTAVES) << BITS, 1)


class Tally:
    """Counts of one layer; numbers enter as (images, channels, ...).

    A channel keeps counts down to 2^-16 of its maximum, in whole octaves; what is smaller counts as
    the smallest. The cut only rises with the maximum, so the end result knows no order.
    """

    def __init__(self, name: str, shape: Shape) -> None:
        self.name = name
        self.largest: npt.NDArray[np.float64] = np.zeros(shape[0])
        self._zeros = np.zeros(shape[0], np.int64)
        self._first = np.ones(shape[0], np.int64)
        self._counts = np.zeros((shape[0], SPAN), np.int32)
        self._images = np.zeros(256 << BITS, np.int64)

    def add(self, signal: torch.Tensor) -> None:
        """Takes in the positive parts of a chunk.

        Raises:
            ValueError: a number is not finite.
        """
        images, width = signal.shape[:2]
        values = signal.numpy().reshape(images, width, -1)
        maxima = np.empty((width, images))
        if values.shape[2] * images < FEW:
            maxima[:] = np.maximum(values.max(2).T, 0)
            self._raise_cuts(maxima.max(1), range(width))
            self._sort_in(values)
        else:
            # channel by channel, since a channel's numbers and bins stay in the core's cache
            for channel in range(width):
                piece = np.ascontiguousarray(values[:, channel])
                maxima[channel] = np.maximum(piece.max(1), 0)
                self._raise_cuts(maxima[channel : channel + 1].max(1), [channel])
                self._count_in(channel, piece.reshape(-1))
        if not np.isfinite(maxima).all():
            raise ValueError(f"{self.name}: its activations on the calibration set are not finite")
        self.largest = np.maximum(self.largest, maxima.max(1))
        self._images += np.bincount(bins_of(maxima.max(0)), minlength=len(self._images))

    def _count_in(self, channel: int, values: Reals) -> None:
        place = bins_of(values)
        # negative numbers and 0 land in the first place with what is too small to keep
        place -= self._first[channel].astype(np.int32)
        np.maximum(place, 0, out=place)
        counts = np.bincount(place, minlength=SPAN)
        zeros = values.size - np.count_nonzero(values > 0)
        counts[0] -= zeros
        self._zeros[channel] += zeros
        self._counts[channel] += counts.astype(np.int32)

    def _sort_in(self, values: Reals) -> None:
        positive = values > 0
        self._zeros += len(values) * values.shape[2] - np.count_nonzero(positive, axis=(0, 2))
        place = np.maximum(bins_of(values) - self._first[:, None], 0)
        place += np.arange(values.shape[1])[:, None] * SPAN
        used, counts = np.unique(place[positive], return_counts=True)
        self._counts.reshape(-1)[used] += counts.astype(np.int32)

    def _raise_cuts(self, maxima: Reals, channels: range | list[int]) -> None:
        """Moves a channel's kept octaves up to its new maximum; its lowest bin takes in what falls
        out."""
        for channel, highest in zip(channels, bins_of(maxima), strict=True):
            first = lowest_kept(int(highest))
            shift = min(first - int(self._first[channel]), SPAN)
            if shift > 0:
                row = self._counts[channel]
                fallen = row[:shift].sum()
                row[: SPAN - shift] = row[shift:].copy()
                row[SPAN - shift :] = 0
                row[0] += fallen
                self._first[channel] = first

    def channels(self) -> tuple[Histogram, ...]:
        """Of each channel's activations."""
        found = []
        for zeros, first, counts in zip(self._zeros, self._first, self._counts, strict=True):
            (used,) = np.nonzero(counts)
            bins, numbers = used + first, counts[used].astype(np.int64)
            if zeros:
                bins, numbers = np.append([0], bins), np.append([zeros], numbers)
            found.append(Histogram(bins, numbers))
        return tuple(found)

    def image_maxima(self) -> Histogram:
        """Of each image's largest activation."""
        (used,) = np.nonzero(self._images)
        return Histogram(used.astype(np.int64), self._images[used])
