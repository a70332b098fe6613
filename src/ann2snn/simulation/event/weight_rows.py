"""Weights as the kernels add them up: rows of all output channels, in whole vectors."""

import numpy as np
import numpy.typing as npt

from ann2snn.simulation.event.layout import Layout
from ann2snn.simulation.event.program import Draft, Places
from ann2snn.simulation.event.sums import interleaved
from ann2snn.spec import SumPool

Numbers = npt.NDArray[np.int64]


def padded(draft: Draft, weight: np.ndarray, name: str) -> np.ndarray:
    """Weights (..., channels of `name`), the channels filled up to whole vectors."""
    layout = draft.layouts[name]
    rows = np.zeros((*weight.shape[:-1], layout.width))
    rows[..., : layout.channels] = weight
    return rows


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


def weight_rows(
    draft: Draft, weight: np.ndarray, name: str, area: int, wide: int, *, signed: bool
) -> Places:
    """Weights (rows, ..., channels) of `name` for the fast kernels, with a row of zeros behind
    them: as 16-bit whole numbers of a power of two where all of them are such (half as many bytes
    to move, and the sums are exact), else as the other weights.

    Behind the zeros stand the negated rows where spikes are `signed`: a negative spike adds one of
    these. Each is added `area` times at most, in pairs. Kernels take the channels up to `wide` in
    blocks of 32, the others in blocks of 16.
    """
    rows = np.concatenate([weight, np.zeros_like(weight[:1]), *([-weight] if signed else [])])
    largest = int(np.frexp(np.abs(weight).max(initial=0.0))[1])
    exponent = min(14 - largest, draft.bits_of[name])
    units = np.ldexp(rows, exponent)
    most = weight[..., 0].size * area
    fits = most <= 1 << 16  # as many of the largest still sum up in 32 bits
    places = {"zero_row": len(weight)}
    if not (fits and abs(exponent) < 64 and np.array_equal(units, np.rint(units))):
        rows = np.ldexp(rows, draft.fractions[name])
        return places | {"weight": draft.weights.put(rows), "unit": draft.weights.put(np.ones(1))}
    blocks = [32] * (wide // 32) + [16] * ((rows.shape[-1] - wide) // 16)
    starts = np.cumsum([0, *blocks])
    order = [s + i for s, block in zip(starts, blocks, strict=False) for i in interleaved(block)]
    unit = draft.weights.put(np.array([2.0 ** (draft.fractions[name] - exponent)]))
    shorts = draft.shorts.put(units[..., order].astype(np.int16))
    return places | {"weight": shorts, "short": 1, "unit": unit}


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
