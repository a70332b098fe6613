"""Counts of one layer's activations, which stream by in chunks."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ann2snn.conversion.histogram import BITS, OCTAVES, Histogram, bins_of, lowest_kept
from ann2snn.numerics.compiled import compiled
from ann2snn.spec.nodes import Shape

SPAN = OCTAVES << BITS
# Zeros are counted in turn in so many places before a channel's bins: additions to one and the same
# place wait for each other.
APART = 8
SHIFT = np.int32(23 - BITS)
ROOM = 2**31 - 1  # what a count of 32 bits, which is faster, can hold


@compiled
def count(patterns: Any, first: Any, counts: Any) -> None:
    """Adds to `counts` (channels, APART + SPAN) the numbers whose float32 bits are `patterns`
    (images, channels, positions), as int32; `first` (channels,) are the lowest bins kept."""
    for channel in range(len(first)):  # outside, so that a channel's counts stay in the cache
        lowest = first[channel]
        for image in range(patterns.shape[0]):
            for place in range(patterns.shape[2]):
                pattern = patterns[image, channel, place]
                # all negative numbers, and -0, have a negative pattern
                kept = APART + max((pattern >> SHIFT) - lowest, 0)
                counts[channel, kept if pattern > 0 else place % APART] += 1


class ActivationCounts:
    """Counts of one layer; numbers enter as (images, channels, ...).

    A channel keeps counts down to 2^-16 of its maximum, in whole octaves; smaller numbers count as
    the smallest kept one. The cut only rises with the maximum, so the result does not depend on
    order. Counts of 32 bits are moved to 64 bits before they could overflow.
    """

    def __init__(self, name: str, shape: Shape) -> None:
        self.name = name
        self.largest: npt.NDArray[np.float64] = np.zeros(shape[0])
        self._first = np.ones(shape[0], np.int32)
        self._counts = np.zeros((shape[0], APART + SPAN), np.int32)
        self._earlier = np.zeros((0, APART + SPAN), np.int64)
        self._room = ROOM
        self._images = np.zeros(256 << BITS, np.int64)

    def add(self, signal: torch.Tensor) -> None:
        """Takes in the positive parts of a chunk.

        Raises:
            ValueError: a number is not finite.
        """
        values = signal.reshape(*signal.shape[:2], -1)
        # torch's maximum of numbers with a NaN among them is NaN
        maxima = values.amax(2).double().clamp_min(0).numpy()
        if not np.isfinite(maxima).all():
            raise ValueError(f"{self.name}: its activations on the calibration set are not finite")
        self.largest = np.maximum(self.largest, maxima.max(0))
        self._images += np.bincount(bins_of(maxima.max(1)), minlength=len(self._images))
        self._raise_cuts()
        # float64 is rounded, which keeps the order
        patterns = values.float().contiguous().numpy().view(np.int32)
        numbers = len(values) * values.shape[2]
        if numbers > self._room:
            self._earlier = self._all_counts()
            self._counts[:] = 0
            self._room = ROOM
        self._room -= numbers
        # on this thread: while torch's own threads still spin, others would wait for the cores
        count(patterns, self._first, self._counts)

    def _raise_cuts(self) -> None:
        """Moves a channel's kept octaves up to its new maximum."""
        lowest = lowest_kept(bins_of(self.largest))
        for channel in np.flatnonzero(lowest > self._first):
            shift = min(int(lowest[channel] - self._first[channel]), SPAN)
            _drop(self._counts[channel, APART:], shift)
            if len(self._earlier):
                _drop(self._earlier[channel, APART:], shift)
        self._first = np.maximum(self._first, lowest)

    def _all_counts(self) -> npt.NDArray[np.int64]:
        counts = self._counts.astype(np.int64)
        return counts + self._earlier if len(self._earlier) else counts

    def channels(self) -> tuple[Histogram, ...]:
        """Histograms of the activations, per channel."""
        found = []
        for first, row in zip(self._first, self._all_counts(), strict=True):
            zeros, counts = row[:APART].sum(), row[APART:]
            (used,) = np.nonzero(counts)
            bins, numbers = used + first, counts[used]
            if zeros:
                bins, numbers = np.append([0], bins), np.append([zeros], numbers)
            found.append(Histogram(bins, numbers))
        return tuple(found)

    def image_maxima(self) -> Histogram:
        """Histogram of the largest activation per image."""
        (used,) = np.nonzero(self._images)
        return Histogram(used.astype(np.int64), self._images[used])


def _drop(row: npt.NDArray[np.integer], shift: int) -> None:
    """Empties the lowest `shift` bins of a channel's row (SPAN,) into the next bin."""
    fallen = row[:shift].sum()
    row[: SPAN - shift] = row[shift:].copy()
    row[SPAN - shift :] = 0
    row[0] += fallen
