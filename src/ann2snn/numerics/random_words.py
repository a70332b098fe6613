"""Random numbers by a counter: the same for every engine, batch, order and number of threads.

u(seed, stream, image, step, unit) mixes its arguments one after another with the 32-bit finalizer
`lowbias32` (C. Wellons, 2018), whose bias is the lowest known for two multiplications.
"""

from typing import Any

POISSON, CLOCK, DRAW = 0, 1, 2
MASK = 0xFFFFFFFF


def mix(value: Any) -> Any:
    """lowbias32 of 32-bit words: an int, or an int64 array or tensor, whose products wrap around
    without touching their low 32 bits."""
    value = value ^ (value >> 16)
    value = (value * 0x7FEB352D) & MASK
    value = value ^ (value >> 15)
    value = (value * 0x846CA68B) & MASK
    return value ^ (value >> 16)


def uniform(seed: int, stream: int, image: Any, step: Any, unit: Any) -> Any:
    """Words in [0, 2^32), of the broadcast shape of `image`, `step` and `unit`: int64 arrays, or
    tensors of one device."""
    word = mix((seed ^ 0x9E3779B9) & MASK)
    for part in (stream, image, step, unit):
        word = mix((word + part) & MASK)
    return word
