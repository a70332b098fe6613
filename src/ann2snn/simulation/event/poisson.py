"""Poisson input: a pixel spikes in a step with its own value as probability.

The twin of `numerics.random_words`, for one image and step: words mixed of (seed, stream, image,
step, unit) by lowbias32, the same for every engine. Images of up to 64 channels draw the words of
16 pixels at a time.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types

from ann2snn.simulation.event.arithmetic import add_where
from ann2snn.simulation.event.vector import (
    UINT64,
    Vector,
    address,
    bits_of,
    instruction,
    plain,
    splat,
    store,
    zeros,
)

MASK = np.uint64(0xFFFFFFFF)
STREAM = np.uint64(0)
FACTORS = 0x7FEB352D, 0x846CA68B  # of lowbias32
LANES = 16


def limits_of(image: npt.NDArray[np.integer], levels: int) -> npt.NDArray[np.int64]:
    """Below which word each pixel k / levels of an image (C, H, W) spikes, that is word * levels <
    k * 2^32, in whole numbers; flat, as units are counted."""
    return -(-(image.astype(np.int64).ravel() << 32) // levels)


@plain
def mix(word: Any) -> Any:
    """lowbias32 of a 32-bit word held in 64 bits."""
    word ^= word >> np.uint64(16)
    word = (word * np.uint64(FACTORS[0])) & MASK
    word ^= word >> np.uint64(15)
    word = (word * np.uint64(FACTORS[1])) & MASK
    return word ^ (word >> np.uint64(16))


@instruction
def mixed(_typing: Any, _first: Any, like: Any) -> Any:
    """`mix` of `first`, `first` + 1 and so on, as many words of 32 bits as `like` has lanes."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(32), like.lanes)

        def constant(value: int) -> Any:
            return ir.Constant(kind, [value] * like.lanes)

        first = splat(builder, builder.trunc(arguments[0], ir.IntType(32)), kind)
        word = builder.add(first, ir.Constant(kind, list(range(like.lanes))))
        word = builder.xor(word, builder.lshr(word, constant(16)))
        word = builder.mul(word, constant(FACTORS[0]))
        word = builder.xor(word, builder.lshr(word, constant(15)))
        word = builder.mul(word, constant(FACTORS[1]))
        return builder.xor(word, builder.lshr(word, constant(16)))

    return Vector(types.uint32, like.lanes)(UINT64, like), generate


@instruction
def below(_typing: Any, words: Any, limits: Any, _place: Any) -> Any:
    """Bits of the lanes whose word is below its limit, those of `limits` from `place` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(64), words.lanes)
        pointer = address(context, builder, signature.args[1], arguments[1], arguments[2], kind)
        less = builder.icmp_signed(
            "<", builder.zext(arguments[0], kind), builder.load(pointer, align=8)
        )
        return bits_of(builder, less, words.lanes)

    return UINT64(words, limits, UINT64), generate


@plain
def draw(op: Any, bits: Any, limits: Any, seed: Any, image: Any, step: Any) -> None:
    """Spikes of one step; `limits` are those of the image."""
    start = mix((np.uint64(seed) ^ np.uint64(0x9E3779B9)) & MASK)
    start = mix((start + STREAM) & MASK)
    start = mix((start + np.uint64(image)) & MASK)
    start = mix((start + np.uint64(step)) & MASK)
    count, channels = op.out_rows * op.out_columns, op.out_channels
    sixteens = 0
    if op.out_words == 1:
        sixteens = count & ~(LANES - 1)
        for pixel in range(0, sixteens, LANES):
            words = zeros(bits, LANES)
            for channel in range(channels):
                unit = np.uint64(channel * count + pixel)
                spikes = below(mixed(start + unit, words), limits, unit)
                words = add_where(words, spikes, np.uint64(1) << np.uint64(channel))
            store(bits, np.uint64(op.target + pixel), words)
    for pixel in range(sixteens, count):
        for word in range(op.out_words):
            fired = np.uint64(0)
            for channel in range(64 * word, min(64 * word + 64, channels)):
                unit = channel * count + pixel
                drawn = mix((start + np.uint64(unit)) & MASK)
                spikes = np.uint64(np.int64(drawn) < limits[unit])
                fired |= spikes << np.uint64(channel & 63)
            bits[op.target + pixel * op.out_words + word] = fired
