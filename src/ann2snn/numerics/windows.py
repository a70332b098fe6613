"""Sizes of feature maps, and which inputs an output position sees."""

import math

Padding = tuple[int, int, int, int]
Windows = tuple[tuple[int, int], ...]


def convolved_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Positions of a kernel along one axis, with `padding` the sum of both ends.

    Raises:
        ValueError: the kernel does not fit once.
    """
    span = dilation * (kernel - 1) + 1
    if size + padding < span:
        raise ValueError(f"a kernel that spans {span} does not fit into size {size} + {padding}")
    return (size + padding - span) // stride + 1


def same_padding(kernel: int, dilation: int) -> tuple[int, int]:
    """Zeros before and after an axis that keep its size at stride 1; the odd one comes last."""
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def pool_windows(
    size: int, kernel: int, stride: int, padding: int, *, ceil_mode: bool = False
) -> Windows:
    """Half-open input ranges of each pool position along one axis, clipped to the input.

    With `ceil_mode` a last window may hang over the end, as long as it starts inside the input or
    the padding before it (torch's rule).

    Raises:
        ValueError: no window fits.
    """
    room = size + 2 * padding - kernel
    if room < 0 and not ceil_mode:
        raise ValueError(f"a window of {kernel} does not fit into size {size} + 2 x {padding}")
    count = (math.ceil(room / stride) if ceil_mode else room // stride) + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    starts = [index * stride - padding for index in range(count)]
    return tuple((max(start, 0), min(start + kernel, size)) for start in starts)


def adaptive_windows(size: int, count: int) -> Windows:
    """Half-open input ranges of `count` adaptive pool positions (torch's rule)."""
    return tuple((i * size // count, -((-(i + 1) * size) // count)) for i in range(count))
