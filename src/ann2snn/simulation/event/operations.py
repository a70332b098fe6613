"""The operations of a lowered network: rows of whole numbers, each a kernel and its places.

A network is an array of such rows, so that one compiled driver runs every network (compiling a
driver for each network would take seconds, and kernels made by closures never hit numba's cache).
All numbers of an image lie in a few long arrays; operations name places in them. Signals, which
last for a step, lie in a row of `values` or `bits` for each step of a tile, at the same place of
every row; what neurons and pools keep lies in others.

A signal has pixels (rows x columns) and channels; flat features are the channels of one pixel.
- As values: `width` numbers a pixel, the channels filled up with zeros to whole vectors of 16.
- As bits (spikes): `words` 64-bit words a pixel, bit c for channel c; the negative spikes of a
  signed signal lie behind all its positive ones, in the same order, and behind these the second
  spikes of a step, where there are any.
"""

import numpy as np

LANES = 16
WORD = 64

(
    POISSON, EXPAND, CONV_ROWS, CONV_PIXELS, CONV_CHANNELS, CONV_VALUES, CONV, LINEAR_ROWS,
    NEURON, SPREAD, GROWTH, MAX_POOL, GROWTH_VALUES, SUM_POOL, AFFINE, ADD, MOVE_VALUES, MOVE_BITS,
    COUNT, COUNT_VALUES, COUNT_UNITS, RECORD, OUTPUT, IMAGE_CONV,
) = range(24)  # fmt: skip

# the codes that kernels know mechanisms by; the engine lacks all others
POOLINGS = {"rise": 0, "inverse_time": 1, "running_mean": 2, "exponential": 3, "spikes": 4}
RESETS = {"subtract": 0, "zero": 1}  # as `zeroes`
INPUTS = {"poisson": POISSON}
SUPPORTED = {
    "pooling": POOLINGS,
    "reset": RESETS,
    "input": {"analog", *INPUTS},
    "kind of spike": {"binary", "signed", "burst"},
}

OPERATION = np.dtype(
    [
        (name, np.int64)
        for name in (
            "kind",
            # the signal it reads, and the one it writes
            "source", "rows", "columns", "channels", "width", "words",
            "target", "out_rows", "out_columns", "out_channels", "out_width", "out_words",
            # the geometry of a convolution
            "kernel_rows", "kernel_columns", "stride_rows", "stride_columns", "top", "left",
            "dilation_rows", "dilation_columns", "groups",
            # how many of a column's bits, the lower ones, name the first of its two rows of
            # weights; 0 where each spike names its own
            "joint",
            # whether one mask lists spikes of both signs
            "paired",
            # whether lists are long enough for halved sums
            "halved",
            # the columns of the signal that `table` and `other_table` pool; 0 where nothing does
            "pooled",
            # whether no two windows of a pool share an input
            "disjoint",
            # parameters and state
            "weight", "zero_row", "short", "unit", "bias", "table", "other_table", "estimate",
            "pooling", "potential", "fires", "zeroes", "mark",
            # whether the values it reads are the same at all steps
            "static",
            # signed neurons keep the net number of spikes that they sent
            "signed", "sent",
            # how far behind its positive spikes a signal has its negative ones; 0 where it has none
            "negative", "out_negative",
            # the same for what is sent as the second spike of a step
            "second", "out_second",
            # the threshold, and the ratio of the units of the read signal and the written one
            "threshold", "factor",
            # `first` of the operations that write one target; `slot` of the results
            "first", "slot",
        )
    ]
)  # fmt: skip


def padded(channels: int) -> int:
    """Numbers a pixel takes as values."""
    return -(-channels // LANES) * LANES


def words_of(channels: int) -> int:
    """64-bit words a pixel takes as bits."""
    return -(-channels // WORD)
