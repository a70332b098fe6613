"""Weights and biases on a dyadic grid, so that every engine adds them without error."""

import dataclasses

import numpy as np

from ann2snn.spec import Node

# a float32 is exact up to 2^24 grid units; one bit stays free for the sum of two
FREE_BITS = 23


def gridded(nodes: list[Node], grid: int) -> tuple[list[Node], int | None]:
    """The nodes with weights, biases and gains as multiples of 2^-grid thresholds, and the grid.

    Where a value is so large that float32 would not hold it in these units, the grid of the whole
    network is coarser. A grid of -1 leaves all as it is and gives None.
    """
    if grid < 0:
        return nodes, None
    values = [array for node in nodes for array in _parameters(node).values() if array.size]
    largest = max((float(np.abs(array).max()) for array in values), default=0.0)
    if largest > 0:
        grid = max(0, min(grid, FREE_BITS - int(np.ceil(np.log2(largest)))))
    return [_rounded(node, grid) for node in nodes], grid


def _rounded(node: Node, grid: int) -> Node:
    rounded = {
        name: np.ldexp(np.rint(np.ldexp(array, grid)), -grid)
        for name, array in _parameters(node).items()
    }
    return dataclasses.replace(node, **rounded) if rounded else node


def _parameters(node: Node) -> dict[str, np.ndarray]:
    named = {name: getattr(node, name, None) for name in ("weight", "bias", "gain")}
    return {name: array for name, array in named.items() if array is not None}
