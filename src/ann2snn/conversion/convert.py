"""The conversion of an analog network into a spiking one."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ann2snn.conversion.fold import simplified, with_average_pools
from ann2snn.conversion.graph import AnalogGraph
from ann2snn.conversion.grid import gridded
from ann2snn.conversion.plan import ConversionPlan, fates
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.rescale import rescaled
from ann2snn.conversion.scales import dead_layers, saturating_share, scales
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.statistics import Statistics, collect_from
from ann2snn.conversion.trace import analog_graph
from ann2snn.spec import Input, MaxPool, Neuron, Node, Output, SpecError, SpikingSpec
from ann2snn.spec.nodes import Shape

FLOAT_LEVELS = 1 << 16


def convert(
    module: nn.Module,
    calibration_images: npt.NDArray[Any] | torch.Tensor,
    *,
    levels: int | None = None,
    **toggles: Any,
) -> SpikingSpec:
    """The spiking network of `module`, whose rates times scales are its activations.

    `module` is any network in eval mode that torch.fx can trace, from images (N, *shape) to a value
    for each class. `calibration_images` set the scales: whole numbers k that stand for pixels
    k / levels (uint8: 255 unless said otherwise), or floats, which are taken at multiples of 2^-16.
    `toggles` are the fields of `ConversionSettings`.

    Raises:
        ConversionError: lists every operation that cannot be converted, and what would work.
        SettingError: a toggle's value is not allowed.
    """
    return explain(module, calibration_images, levels=levels, **toggles).spec


def explain(
    module: nn.Module,
    calibration_images: npt.NDArray[Any] | torch.Tensor,
    *,
    levels: int | None = None,
    **toggles: Any,
) -> ConversionPlan:
    """As `convert`: the spec with its account of every traced operation.

    Raises:
        ConversionError: lists every operation that cannot be converted, and what would work.
        SettingError: a toggle's value is not allowed.
    """
    known = {field.name for field in dataclasses.fields(ConversionSettings)}
    for name in toggles:
        if name not in known:
            raise ConversionError(
                f"there is no toggle {name}={toggles[name]!r}; there are {', '.join(sorted(known))}"
            )
    settings = ConversionSettings(**toggles)
    images, levels = whole_numbers(calibration_images, levels)
    graph = simplified(analog_graph(module, tuple(images.shape[1:])))
    statistics = collect_from(graph, images, levels, _precision(module))
    return _plan(graph, statistics, settings, levels)


def convert_with(
    module: nn.Module,
    statistics: Statistics,
    settings: ConversionSettings,
    shape: Shape,
    levels: int,
) -> SpikingSpec:
    """As `convert`, from statistics that were collected before: any toggles, without images."""
    return explain_with(module, statistics, settings, shape, levels).spec


def explain_with(
    module: nn.Module,
    statistics: Statistics,
    settings: ConversionSettings,
    shape: Shape,
    levels: int,
) -> ConversionPlan:
    """As `convert_with`: the spec with its account of every traced operation."""
    return _plan(simplified(analog_graph(module, shape)), statistics, settings, levels)


def whole_numbers(
    images: npt.NDArray[Any] | torch.Tensor, levels: int | None
) -> tuple[npt.NDArray[Any], int]:
    """Images as whole numbers k and the levels that they count in.

    Raises:
        ValueError: whole numbers other than uint8 come without levels, or there are no images.
    """
    array = (
        images.detach().cpu().numpy() if isinstance(images, torch.Tensor) else np.asarray(images)
    )
    if array.ndim < 2 or not len(array):
        raise ValueError(f"calibration_images must be (N, *shape) with N > 0, got {array.shape}")
    if np.issubdtype(array.dtype, np.floating):
        if levels is not None:
            raise ValueError(f"levels={levels} is for images of whole numbers, got {array.dtype}")
        return np.rint(array.astype(np.float64) * FLOAT_LEVELS).astype(np.int64), FLOAT_LEVELS
    if levels is None:
        if array.dtype != np.uint8:
            raise ValueError(f"images of {array.dtype} need levels: pixels are k / levels")
        levels = 255
    return array, levels


def _precision(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters()), torch.float32)


def _plan(
    graph: AnalogGraph, statistics: Statistics, settings: ConversionSettings, levels: int
) -> ConversionPlan:
    found = scales(graph, statistics, settings)
    dead = tuple(dead_layers(statistics))
    if settings.pooling == "average":
        graph = with_average_pools(graph)
    nodes, grid = gridded(rescaled(graph, found), settings.grid)
    finished = tuple(_with_settings(node, statistics, settings) for node in nodes)
    try:
        spec = SpikingSpec(finished, grid, levels)
    except SpecError as error:
        raise ConversionError(str(error)) from error
    return ConversionPlan(spec, fates(graph), dict(graph.ceilings), dead)


def _with_settings(node: Node, statistics: Statistics, settings: ConversionSettings) -> Node:
    """The node with the dynamics that the toggles choose."""
    match node:
        case Input():
            return dataclasses.replace(node, input=settings.input)
        case Neuron():
            return dataclasses.replace(
                node,
                reset=settings.reset,
                initial_potential=settings.initial_potential,
                saturating=saturating_share(statistics.layers[node.name], node.scale),
            )
        case MaxPool():
            return dataclasses.replace(node, pooling=settings.pooling)
        case Output():
            return dataclasses.replace(
                node,
                output=settings.output,
                clock_rate=settings.clock_rate,
                draw=settings.softmax_draw,
                reset=settings.reset,
            )
        case _:
            return node
