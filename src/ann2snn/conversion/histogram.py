"""Counts of positive numbers in logarithmic bins: mergeable, and any percentile afterwards.

A bin is the upper part of a float32's bit pattern, which is monotone for positive numbers: all
2^8 exponents and the first `bits` bits of the mantissa, so bins are 2^-bits wide, relatively, over
the whole range and nothing overflows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

Counts = npt.NDArray[np.int64]
LAYER_BITS = 11
CHANNEL_BITS = 9


def bins_of(values: torch.Tensor, bits: int) -> torch.Tensor:
    """The bin of every number that is not negative; 0 is in bin 0."""
    return values.contiguous().view(torch.int32) >> (23 - bits)


def lower_edge(index: npt.ArrayLike, bits: int) -> npt.NDArray[np.float64]:
    """The smallest number of each bin."""
    pattern = np.asarray(index, np.int64) << (23 - bits)
    return pattern.astype(np.int32).view(np.float32).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of the bins that are not empty, by rising bin; bin 0 are the zeros."""

    bins: Counts
    counts: Counts
    bits: int = LAYER_BITS

    @staticmethod
    def of(counts: Counts, bits: int = LAYER_BITS, first: int = 0) -> "Histogram":
        """From counts of all bins, of which `first` is the first."""
        (used,) = np.nonzero(counts)
        return Histogram(used.astype(np.int64) + first, counts[used].astype(np.int64), bits)

    def merge(self, other: "Histogram") -> "Histogram":
        """The counts of both."""
        bins, place = np.unique(np.concatenate([self.bins, other.bins]), return_inverse=True)
        counts = np.zeros(len(bins), np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return Histogram(bins, counts, self.bits)

    def raised(self, first: int) -> "Histogram":
        """All positive numbers below bin `first` counted in `first`."""
        moved = np.where((self.bins > 0) & (self.bins < first), first, self.bins)
        empty = Histogram(self.bins[:0], self.counts[:0], self.bits)
        return empty.merge(Histogram(moved, self.counts, self.bits))

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def zeros(self) -> int:
        return int(self.counts[self.bins == 0].sum())

    def percentile(self, percentile: float, population: str) -> float:
        """The upper edge of the bin of the number of rank ceil(p n / 100), n the numbers of the
        population: `nonzero` or `all`; 0 where there is none."""
        counted = self.bins > 0 if population == "nonzero" else self.bins >= 0
        counts, bins = self.counts[counted], self.bins[counted]
        if not counts.sum():
            return 0.0
        rank = max(1, int(np.ceil(percentile / 100 * counts.sum())))
        found = bins[np.searchsorted(np.cumsum(counts), rank)]
        return float(lower_edge(found + 1, self.bits)) if found else 0.0

    def above(self, value: float) -> int:
        """How many numbers lie in bins that begin at `value` or above."""
        return int(self.counts[lower_edge(self.bins, self.bits) >= value].sum())

    def grouped(self, edges: npt.NDArray[np.float64]) -> Counts:
        """Counts between `edges`, by the middle of each bin; zeros are left out."""
        kept = self.bins > 0
        low, high = (lower_edge(self.bins[kept] + step, self.bits) for step in (0, 1))
        place = np.clip(np.searchsorted(edges, (low + high) / 2) - 1, 0, len(edges) - 2)
        return np.bincount(place, self.counts[kept], len(edges) - 1).astype(np.int64)
