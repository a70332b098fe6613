"""Weights and biases on a dyadic grid, so that every engine adds them without error."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ann2snn.spec import Node
from ann2snn.spec.graph import arrays_of
from ann2snn.spec.nodes import Array

# a float32 is exact up to 2^24 grid units; one bit stays free for the sum of two
FREE_BITS = 23


def gridded(nodes: list[Node], grid: int) -> tuple[list[Node], int | None]:
    """The nodes with weights, biases and gains as multiples of 2^-grid thresholds, and the grid.

    Where float32 would not hold the largest value in these units, the whole network gets a coarser
    grid. A grid of -1 leaves all as it is and gives None.
    """
    if grid < 0:
        return nodes, None
    grid = finest_grid(nodes, grid)
    rounded: list[dict[str, Any]] = [
        {name: np.ldexp(np.rint(np.ldexp(array, grid)), -grid) for name, array in parameters(node)}
        for node in nodes
    ]
    pairs = zip(nodes, rounded, strict=True)
    return [dataclasses.replace(node, **fields) for node, fields in pairs], grid


def parameters(node: Node) -> list[tuple[str, Array]]:
    """The arrays of a node that are rounded, by name: all but its scale."""
    return [(name, array) for name, array in arrays_of(node).items() if name != "scale"]


def largest_parameter(node: Node) -> float:
    """The largest |weight|, |gain| or |bias| of a node."""
    sizes = (max(array.max(), -array.min()) for _, array in parameters(node) if array.size)
    return max(map(float, sizes), default=0.0)


def finest_grid(nodes: list[Node], grid: int) -> int:
    """The grid that all parameters fit, at most `grid`."""
    largest = max(map(largest_parameter, nodes), default=0.0)
    if largest > 0:
        grid = max(0, min(grid, FREE_BITS - int(np.ceil(np.log2(largest)))))
    return grid


def without_faint_channels(
    scales: Mapping[str, Array], grid: int, nodes_of: Callable[[Mapping[str, Array]], list[Node]]
) -> dict[str, Array]:
    """The scales, those of single channels raised where they alone would coarsen the grid.

    A channel that is hardly active has a small scale and so large weights, for which the whole
    network would have to give up bits. Channels have at least 2^-n of the largest scale of their
    layer, n as large as the grid allows; where no scale coarsens it, nothing changes. `nodes_of`
    gives the nodes in units of the threshold.
    """
    found = dict(scales)
    if grid < 0 or not any(scale.ndim for scale in found.values()):
        return found
    if finest_grid(nodes_of(found), grid) == grid:
        return found
    raised = [
        {name: np.maximum(s, s.max() * 2.0**-n) if s.ndim else s for name, s in found.items()}
        for n in range(FREE_BITS, -1, -1)
    ]
    best = finest_grid(nodes_of(raised[-1]), grid)
    return next(scales for scales in raised if finest_grid(nodes_of(scales), grid) >= best)
