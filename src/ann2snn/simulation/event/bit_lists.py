"""Lists of the set bits of a mask, and counts of them."""

from typing import Any

import llvmlite.binding
import numpy as np

from ann2snn.simulation.event.masks import (
    compress_places,
    count_bits,
    put_places,
    sum_lanes,
    weigh_bits,
)
from ann2snn.simulation.event.vector import load, plain, zeros

# The processor can pack the places of 32 or 64 bits in one instruction.
COMPRESSES = bool(llvmlite.binding.get_host_cpu_features().get("avx512vbmi2", False))
PLACES = np.array(
    [[i for i in range(8) if byte >> i & 1] + [0] * (8 - byte.bit_count()) for byte in range(256)],
    dtype=np.uint16,
).reshape(-1)
"""For each byte the places of its set bits, then zeros."""


@plain
def list_bits(mask: Any, wide: Any, first: Any, events: Any, count: Any) -> Any:
    """Appends first + i for each bit i of `mask` to `events` at `count`; the new count.

    Without `wide` only the low 32 bits can be set: asking the mask itself would be a branch that no
    processor predicts.

    Up to 48 elements behind the new count are overwritten.
    """
    if COMPRESSES:
        if wide:
            return pack_wide(mask, np.uint64(first), events, count)
        return pack(mask, np.uint64(first), events, count)
    return look_up(mask, wide, first, events, count)


@plain
def list_both(mask: Any, first: Any, events: Any, count: Any) -> Any:
    """As `list_bits`, where bit 32 + i stands for the same as bit i: the first and the second
    spikes of a step of 32 channels."""
    if COMPRESSES:
        return pack_both(mask, np.uint64(first), events, count)
    return look_up_both(mask, first, events, count)


@plain
def look_up(mask: Any, wide: Any, first: Any, events: Any, count: Any) -> Any:
    """Appends the places of all bits, eight bits at a time from a table: a loop over bits would end
    with a mispredicted branch at nearly every mask. Up to 8 elements behind the new count are
    overwritten."""
    like = zeros(PLACES, 8)
    for byte in range(8 if wide else 4):
        bits = (mask >> np.uint64(8 * byte)) & np.uint64(255)
        places = load(PLACES, bits * np.uint64(8), like)
        put_places(events, count, places, np.uint64(first + 8 * byte))
        count += count_bits(bits)
    return count


@plain
def pack(low: Any, first: Any, events: Any, count: Any) -> Any:
    """Appends the places of up to 32 bits. Short stores seldom cross a cache line, which costs."""
    found = count_bits(low)
    if found <= 8:
        compress_places(events, count, low, first, 32, 32, 8)
    else:
        compress_places(events, count, low, first, 32, 32, 32)
    return count + found


@plain
def pack_wide(mask: Any, first: Any, events: Any, count: Any) -> Any:
    """Appends the places of up to 64 bits."""
    found = count_bits(mask)
    if found <= 16:
        compress_places(events, count, mask, first, 64, 64, 16)
    else:
        compress_places(events, count, mask, first, 64, 64, 64)
    return count + found


@plain
def pack_both(mask: Any, first: Any, events: Any, count: Any) -> Any:
    """As `pack_wide`, with the places of the upper 32 bits those of the lower ones."""
    found = count_bits(mask)
    if found <= 16:
        compress_places(events, count, mask, first, 64, 32, 16)
    else:
        compress_places(events, count, mask, first, 64, 32, 64)
    return count + found


@plain
def look_up_both(mask: Any, first: Any, events: Any, count: Any) -> Any:
    """As `look_up`, with the places of the upper 32 bits those of the lower ones."""
    count = look_up(mask, False, first, events, count)
    return look_up(mask >> np.uint64(32), False, first, events, count)


@plain
def weighted_count(
    source: Any, pixels: Any, words: Any, bits: Any, weight: Any, tables: Any
) -> Any:
    """Sum over pixels of the number of set bits times the pixel's weight in `tables`."""
    if words == 1:
        eight, eights = zeros(tables, 8), pixels & ~7
        for pixel in range(0, eights, 8):
            place, factor = np.uint64(source + pixel), np.uint64(weight + pixel)
            eight = weigh_bits(eight, bits, place, tables, factor)
        total = sum_lanes(eight)
        for pixel in range(eights, pixels):
            total += np.int64(count_bits(bits[source + pixel])) * tables[weight + pixel]
        return total
    total = np.int64(0)
    for pixel in range(pixels):
        found = np.int64(0)
        for word in range(words):
            found += np.int64(count_bits(bits[source + pixel * words + word]))
        total += found * tables[weight + pixel]
    return total
