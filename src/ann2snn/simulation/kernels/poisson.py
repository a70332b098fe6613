"""Poisson input: a pixel spikes in a step with its own value as probability.

The twin of `simulation.randomness`, for one image and step: words mixed of (seed, stream, image,
step, unit) by lowbias32, the same for every engine.
"""

from typing import Any

import numpy as np

from ann2snn.simulation.kernels.vector import plain

MASK = np.uint64(0xFFFFFFFF)
STREAM = np.uint64(0)


@plain
def mix(word: Any) -> Any:
    """lowbias32 of a 32-bit word held in 64 bits."""
    word ^= word >> np.uint64(16)
    word = (word * np.uint64(0x7FEB352D)) & MASK
    word ^= word >> np.uint64(15)
    word = (word * np.uint64(0x846CA68B)) & MASK
    return word ^ (word >> np.uint64(16))


@plain
def draw(op: Any, bits: Any, pixels: Any, levels: Any, seed: Any, image: Any, step: Any) -> None:
    """Spikes of one step: pixel k / levels spikes where word * levels < k * 2^32."""
    start = mix((np.uint64(seed) ^ np.uint64(0x9E3779B9)) & MASK)
    start = mix((start + STREAM) & MASK)
    start = mix((start + np.uint64(image)) & MASK)
    start = mix((start + np.uint64(step)) & MASK)
    count = op.out_rows * op.out_columns
    for pixel in range(count):
        for word in range(op.out_words):
            fired = np.uint64(0)
            for channel in range(64 * word, min(64 * word + 64, op.out_channels)):
                unit = channel * count + pixel
                drawn = mix((start + np.uint64(unit)) & MASK)
                spikes = np.int64(drawn) * levels < np.int64(pixels[unit]) << 32
                fired |= np.uint64(spikes) << np.uint64(channel & 63)
            bits[op.target + pixel * op.out_words + word] = fired
