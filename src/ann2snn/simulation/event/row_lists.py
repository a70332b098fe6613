"""The spikes that an output row of a convolution sees, listed column by column.

`convolution` slides over the list, which names rows of weights.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.event.bit_lists import list_bits, list_both
from ann2snn.simulation.event.vector import plain

END = np.uint16(0xFFFF)
LEAST = 8
"""Events of a column for halved sums: fewer are filled up, since a loop that ended sooner
would mostly be mispredicted."""


@plain
def list_row(op: Any, row: Any, bits: Any, events: Any) -> None:
    """Lists the spikes that an output row sees, column by column, each column ended by `END`.

    A spike of channel c in kernel row k is listed as k * channels + c, its row of weights. Spikes
    are taken in pairs, so a row of zeros fills an odd column up. The end marks cost the sliding
    loop one branch a column; counted loops, which the compiler unrolls, cost two or three that are
    mispredicted.
    """
    count = np.uint64(0)
    # fields stand in variables: after each store into a list they would be read again
    columns, left, words, channels = op.columns, op.left, op.words, op.channels
    wide, zero_row = channels > 32, np.uint16(op.kernel_rows * channels)
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    seen = max(0, bottom - top)
    pairs, odd = seen >> 1, seen & 1
    line = np.uint64(columns * words)
    above = np.uint64(op.source + (row + top - op.top) * columns * words)
    for slot in range(op.out_columns + 2):
        begin = count
        column = slot - left
        if 0 <= column < columns:
            at = above + np.uint64(column * words)
            first, single = top * channels, seen
            if channels == 32:  # two rows fill a mask
                for _ in range(pairs):
                    both = bits[at] | bits[at + line] << np.uint64(32)
                    count = list_bits(both, True, first, events, count)
                    at += line + line
                    first += 64
                single = odd
            for _ in range(single):
                count = list_bits(bits[at], wide, first, events, count)
                for word in range(1, words):
                    mask = bits[at + np.uint64(word)]
                    count = list_bits(mask, wide, first + word * 64, events, count)
                at += line
                first += channels
        count = ended(op, zero_row, begin, events, count)


@plain
def list_signed_row(op: Any, row: Any, bits: Any, events: Any) -> None:
    """As `list_row`, of signed spikes: a negative one is listed as the negated row of weights.
    Those stand behind all others; where op.paired, behind the 32 of their kernel row, so that one
    mask lists the spikes of both signs. Second spikes of a step are listed as the first are, by one
    mask where it has room for both."""
    count = np.uint64(0)
    columns, left, words, channels = op.columns, op.left, op.words, op.channels
    paired, zero_row = op.paired, np.uint16(op.zero_row)
    negated, negative = op.zero_row + 1, np.uint64(op.negative)
    bursts, second = op.second != 0, np.uint64(op.second)
    narrow = bursts and not negative and channels <= 32
    span = 64 if paired else channels
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    line = np.uint64(columns * words)
    above = np.uint64(op.source + (row + top - op.top) * columns * words)
    for slot in range(op.out_columns + 2):
        begin = count
        column = slot - left
        if 0 <= column < columns:
            at = above + np.uint64(column * words)
            first = top * span
            for _ in range(top, bottom):
                if paired:
                    both = bits[at] | bits[at + negative] << np.uint64(32)
                    count = list_bits(both, True, first, events, count)
                    if bursts:
                        count = list_bits(bits[at + second], False, first, events, count)
                elif narrow:
                    both = bits[at] | bits[at + second] << np.uint64(32)
                    count = list_both(both, first, events, count)
                else:
                    for word in range(words):
                        place, base = at + np.uint64(word), first + word * 64
                        count = list_bits(bits[place], True, base, events, count)
                        if bursts:
                            count = list_bits(bits[place + second], True, base, events, count)
                        if negative:
                            mask = bits[place + negative]
                            count = list_bits(mask, True, base + negated, events, count)
                at += line
                first += span
        count = ended(op, zero_row, begin, events, count)


@plain
def list_joint_row(op: Any, row: Any, bits: Any, events: Any) -> None:
    """As `list_row`, where the channels that a column of the kernel sees are so few that every
    combination of spikes has a row of weights, their sum: the lower half of the column's bits names
    the one, the upper half the other of its two events, and no branch depends on a spike."""
    count = np.uint64(0)
    columns, left, channels, joint = op.columns, op.left, op.channels, np.uint64(op.joint)
    uppers = np.uint64(1) << joint
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    line = np.uint64(columns)
    above = np.uint64(op.source + (row + top - op.top) * columns)
    for slot in range(op.out_columns + 2):
        column = slot - left
        spikes = np.uint64(0)
        if 0 <= column < columns:
            at = above + np.uint64(column)
            place = np.uint64(top * channels)
            for _ in range(top, bottom):
                spikes |= bits[at] << place
                at += line
                place += np.uint64(channels)
        events[count] = spikes & (uppers - np.uint64(1))
        events[count + np.uint64(1)] = uppers + (spikes >> joint)
        events[count + np.uint64(2)] = END
        count += np.uint64(3)


@plain
def ended(op: Any, zero_row: Any, begin: Any, events: Any, count: Any) -> Any:
    """Ends a column whose events began at `begin`: rows of zeros make their number even, or where
    op.halved a multiple of four and `LEAST` at least."""
    if op.halved:
        for each in range(LEAST):
            events[count + np.uint64(each)] = zero_row
        count += (begin - count) & np.uint64(3)
        count = max(count, begin + np.uint64(LEAST))
    else:
        events[count] = zero_row
        count += (count - begin) & np.uint64(1)
    events[count] = END
    return count + np.uint64(1)


@plain
def list_pooled_row(op: Any, row: Any, tables: Any, bits: Any, events: Any) -> None:
    """As `list_row`, where the convolution reads sums over pool windows of spikes: a spike counts
    for its window, so that the sums themselves are never written."""
    count = np.uint64(0)
    wide, zero_row = op.channels > 32, np.uint16(op.kernel_rows * op.channels)
    top = max(0, op.top - row)
    bottom = min(op.kernel_rows, op.rows + op.top - row)
    for slot in range(op.out_columns + 2):
        begin = count
        column = slot - op.left
        if 0 <= column < op.columns:
            left = tables[op.other_table + 2 * column]
            right = tables[op.other_table + 2 * column + 1]
            for tap in range(top, bottom):
                pool = op.table + 2 * (row + tap - op.top)
                for y in range(tables[pool], tables[pool + 1]):
                    for x in range(left, right):
                        at = op.source + (y * op.pooled + x) * op.words
                        for word in range(op.words):
                            mask = bits[np.uint64(at + word)]
                            first = tap * op.channels + word * 64
                            count = list_bits(mask, wide, first, events, count)
        count = ended(op, zero_row, begin, events, count)
