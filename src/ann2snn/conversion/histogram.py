"""Counts of positive numbers in logarithmic bins: mergeable, and any percentile afterwards.

A bin is the upper part of a float32's bit pattern, which is monotone for positive numbers: all 2^8
exponents and the first 10 bits of the mantissa, as many as float16 has. So bins are at most 2^-10
wide, relatively, over the whole range, and nothing overflows.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
BITS = 10
# of a channel's activations, those down to 2^-16 of its maximum keep their bin
OCTAVES = 16


def bins_of(values: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    """The bin of every number: 0 for 0, negative for negative numbers and -0."""
    bins: npt.NDArray[np.int32] = values.astype(np.float32).view(np.int32) >> (23 - BITS)
    return bins


def lower_edge(index: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The smallest number of each bin."""
    pattern = np.asarray(index, np.int64) << (23 - BITS)
    return pattern.astype(np.int32).view(np.float32).astype(np.float64)


def lowest_kept(highest: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """The lowest bin that a channel keeps when its maximum lies in bin `highest`."""
    octave = (np.asarray(highest, np.int32) >> BITS) + 1
    lowest: npt.NDArray[np.int32] = np.maximum((octave - OCTAVES) << BITS, 1)
    return lowest


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of the bins that are not empty, by rising bin; bin 0 are the zeros."""

    bins: Counts
    counts: Counts

    @staticmethod
    def merged(parts: Iterable["Histogram"]) -> "Histogram":
        """The counts of all parts."""
        parts = tuple(parts)
        all_bins = np.concatenate([part.bins for part in parts])
        bins, place = np.unique(all_bins, return_inverse=True)
        counts = np.zeros(len(bins), np.int64)
        np.add.at(counts, place, np.concatenate([part.counts for part in parts]))
        return Histogram(bins, counts)

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
        return float(lower_edge(found + 1)) if found else 0.0

    def middles(self) -> npt.NDArray[np.float64]:
        """The middle of each bin; 0 for the zeros."""
        edges = (lower_edge(self.bins) + lower_edge(self.bins + 1)) / 2
        return np.where(self.bins > 0, edges, 0.0)

    def above(self, value: float) -> int:
        """How many numbers lie in bins that begin at `value` or above."""
        return int(self.counts[lower_edge(self.bins) >= value].sum())

    def grouped(self, edges: npt.NDArray[np.float64]) -> Counts:
        """Counts between `edges`, by the middle of each bin; zeros are left out."""
        kept = self.bins > 0
        low, high = (lower_edge(self.bins[kept] + step) for step in (0, 1))
        place = np.clip(np.searchsorted(edges, (low + high) / 2) - 1, 0, len(edges) - 2)
        return np.bincount(place, self.counts[kept], len(edges) - 1).astype(np.int64)
