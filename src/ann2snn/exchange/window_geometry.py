"""The kernel, stride and padding that windows come from."""

from itertools import pairwise

from ann2snn.numerics.windows import Windows, pool_windows

AxisGeometry = tuple[int, int, int]


def axis_geometry(windows: Windows, size: int) -> AxisGeometry | None:
    """A kernel, a stride and a padding (at most half the kernel, of both ends) whose windows along
    an axis of `size` these are; None where there are none."""
    longest = max(last - first for first, last in windows)
    steps = {b - a for ends in zip(*windows, strict=True) for a, b in pairwise(ends)}
    for kernel in range(longest, 2 * longest + 1):
        for padding in range(kernel // 2 + 1):
            for stride in sorted(steps - {0}) or [kernel, size + 1]:
                room = size + 2 * padding - kernel
                if room >= 0 and pool_windows(size, kernel, stride, padding) == windows:
                    return kernel, stride, padding
    return None
