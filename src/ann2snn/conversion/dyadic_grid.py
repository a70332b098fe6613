"""Weights and biases on a dyadic grid, so that every engine adds them without error."""

import dataclasses
from typing import Any

import numpy as np

from ann2snn.spec import Node
from ann2snn.spec.graph import arrays_of

# a float32 is exact up to 2^24 grid units; one bit stays free for the sum of two
FREE_BITS = 23


def gridded(nodes: list[Node], grid: int) -> tuple[list[Node], int | None]:
    """The nodes with weights, biases and gains as multiples of 2^-grid thresholds, and the grid.

    Where float32 would not hold the largest value in these units, the whole network gets a coarser
    grid. A grid of -1 leaves all as it is and gives None.
    """
    if grid < 0:
        return nodes, None
    parameters = [
        {name: array for name, array in arrays_of(node).items() if name != "scale"}
        for node in nodes
    ]
    arrays = [array for named in parameters for array in named.values() if array.size]
    largest = max((float(np.abs(array).max()) for array in arrays), default=0.0)
    if largest > 0:
        grid = max(0, min(grid, FREE_BITS - int(np.ceil(np.log2(largest)))))
    rounded: list[dict[str, Any]] = [
        {name: np.ldexp(np.rint(np.ldexp(array, grid)), -grid) for name, array in named.items()}
        for named in parameters
    ]
    pairs = zip(nodes, rounded, strict=True)
    return [dataclasses.replace(node, **fields) for node, fields in pairs], grid
