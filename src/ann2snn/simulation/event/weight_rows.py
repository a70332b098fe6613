"""Weights as the kernels add them up: rows of all output channels, in whole vectors."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ann2snn.numerics.exact_sums import FINEST, fractional_bits
from ann2snn.simulation.event.arena import Arena
from ann2snn.simulation.event.layout import Layout
from ann2snn.simulation.event.operations import padded
from ann2snn.simulation.event.program import Draft, Places
from ann2snn.simulation.event.sums import interleaved
from ann2snn.spec import SumPool

Numbers = npt.NDArray[np.int64]
Part = Callable[[slice], np.ndarray]  # weights (rows, ..., channels) of some of the channels
COLUMNS = 128  # channels at a time; blocks of 32 and of 16 end with them


def slices(channels: int) -> list[slice]:
    """The channels, some at a time: a copy of the weights of all would take gigabytes where layers
    are large."""
    firsts = range(0, channels, COLUMNS)
    return [slice(first, min(first + COLUMNS, channels)) for first in firsts]


def combinations(rows: np.ndarray) -> np.ndarray:
    """The sum of each set of rows (n, ...), 2^n sums; bit i of a sum's place says whether row i is
    in it."""
    sums = np.zeros((1, *rows.shape[1:]))
    for row in rows:
        sums = np.concatenate([sums, sums + row])
    return sums


def both_signs(taps: np.ndarray, room: int) -> np.ndarray:
    """Rows (taps, channels, ...) one tap after another: its channels' rows, `room` with zeros
    behind them, then as many negated ones."""
    rows = np.zeros((len(taps), 2, room, *taps.shape[2:]))
    rows[:, 0, : taps.shape[1]] = taps
    rows[:, 1] = -rows[:, 0]
    return rows.reshape(-1, *taps.shape[2:])


def put_columns(arena: Arena, part: Part, rows: tuple[int, ...], channels: int) -> int:
    """The place in `arena` of the weights (*rows, channels), the channels filled up to whole
    vectors."""
    width = padded(channels)

    def write(room: np.ndarray) -> None:
        target = room.reshape(*rows, width)
        for columns in slices(channels):
            target[..., columns] = part(columns)

    return arena.written(int(np.prod(rows)) * width, write)


def weight_rows(
    draft: Draft, part: Part, rows: tuple[int, ...], name: str, area: int, wide: int, *,
    negated: bool,
) -> Places:  # fmt: skip
    """Weights (*rows, channels) of `name` for the fast kernels, with a row of zeros behind them: as
    16-bit whole numbers of a power of two where all of them are such (half as many bytes to move,
    and the sums are exact), else as the other weights.

    With `negated`, the same rows negated stand behind the zeros: a negative spike adds one of these
    where the kernel takes nothing away. Each is added `area` times at most, in pairs. Kernels take
    the channels up to `wide` in blocks of 32, the others in blocks of 16.
    """
    count, channels, bits = rows[0], draft.layouts[name].channels, draft.fractions[name]
    all_rows = (count + 1 + count * negated, *rows[1:])
    largest, least = 0.0, 0
    for columns in slices(channels):
        weight = part(columns)
        largest = max(largest, weight.max(initial=0.0), -weight.min(initial=0.0))
        least = max(least, fractional_bits(weight))
    exponent = min(14 - int(np.frexp(largest)[1]), draft.bits_of[name])
    fits = int(np.prod(rows)) * area <= 1 << 16  # as many of the largest still sum up in 32 bits
    short = fits and least <= exponent < FINEST
    order = _order(padded(channels), wide) if short else None

    def scaled(columns: slice) -> np.ndarray:
        weight = part(columns)
        to = columns.stop - columns.start
        signs = np.zeros((*all_rows, to), np.int16 if short else np.float64)
        signs[:count, ..., : weight.shape[-1]] = np.ldexp(weight, exponent if short else bits)
        if negated:
            np.negative(signs[:count], out=signs[count + 1 :])
        if order is None:
            return signs
        return signs[..., order[columns] - columns.start]

    arena = draft.shorts if short else draft.weights
    places = {"zero_row": count, "short": int(short)}
    places["weight"] = put_columns(arena, scaled, all_rows, padded(channels))
    unit = 2.0 ** (bits - exponent) if short else 1.0
    return places | {"unit": draft.weights.put(np.array([unit]))}


def _order(width: int, wide: int) -> Numbers:
    """Which channel lies at each place of a row of 16-bit weights."""
    blocks = [32] * (wide // 32) + [16] * ((width - wide) // 16)
    starts = np.cumsum([0, *blocks])
    return np.concatenate(
        [start + np.array(interleaved(block)) for start, block in zip(starts, blocks, strict=False)]
    )


def spread(values: Numbers, pool: SumPool, layout: Layout) -> Numbers:
    """The value of each window at all its inputs; -1 at inputs that lie in none."""
    spread = np.full((layout.rows, layout.columns), -1)
    windows = iter(values)
    for top, bottom in pool.rows:
        for left, right in pool.columns:
            spread[top:bottom, left:right] = next(windows)
    return spread.ravel()


def summed(weight: np.ndarray, pool: SumPool, layout: Layout) -> np.ndarray:
    """Weights (windows * channels, outputs) of sums over windows that share inputs, as weights of
    the inputs: each has those of all its windows, summed up, and its spike is one event."""
    windows = weight.reshape(len(pool.rows), len(pool.columns), layout.channels, -1)
    inputs = np.zeros((layout.rows, layout.columns, *windows.shape[2:]))
    for i, (top, bottom) in enumerate(pool.rows):
        for j, (left, right) in enumerate(pool.columns):
            inputs[top:bottom, left:right] += windows[i, j]
    return inputs.reshape(-1, weight.shape[1])
