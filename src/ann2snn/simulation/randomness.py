"""Random numbers by a counter: the same for every engine, batch, order and number of threads.

u(seed, stream, image, step, unit) mixes its arguments one after another with the 32-bit finalizer
`lowbias32` (C. Wellons, 2018), whose bias is the lowest known for two multiplications.
"""

import torch

POISSON, CLOCK, DRAW = 0, 1, 2
MASK = 0xFFFFFFFF


def mix(value: torch.Tensor) -> torch.Tensor:
    """lowbias32 of int64 tensors that hold 32-bit words."""
    value = value ^ (value >> 16)
    value = (value * 0x7FEB352D) & MASK
    value = value ^ (value >> 15)
    value = (value * 0x846CA68B) & MASK
    return value ^ (value >> 16)


def uniform(
    seed: int, stream: int, image: torch.Tensor, step: torch.Tensor, unit: torch.Tensor
) -> torch.Tensor:
    """Words in [0, 2^32), int64, of the broadcast shape of `image`, `step` and `unit`."""
    start = torch.tensor((seed ^ 0x9E3779B9) & MASK, dtype=torch.int64, device=image.device)
    word = mix(start)
    for part in (torch.tensor(stream, device=image.device), image, step, unit):
        word = mix((word + part) & MASK)
    return word
