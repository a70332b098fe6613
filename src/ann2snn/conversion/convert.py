"""The conversion of an analog network into a spiking one."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ann2snn.conversion.account import Conversion, fates
from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.calibration import collect
from ann2snn.conversion.corrections import calibrated
from ann2snn.conversion.dyadic_grid import gridded
from ann2snn.conversion.output_start import first_counted_step
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.scales import scales
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.simplification import with_average_pools
from ann2snn.conversion.statistics import Statistics
from ann2snn.conversion.threshold_units import rescaled
from ann2snn.conversion.trace import analog_graph
from ann2snn.mechanisms.calibrations import CALIBRATIONS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.settings import keywords_by_name
from ann2snn.spec import (
    Add,
    Affine,
    Concat,
    Conv,
    Input,
    Linear,
    MaxPool,
    Neuron,
    Output,
    Reshape,
    SpecError,
    SpikingSpec,
    SumPool,
)
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import Array

FLOAT_LEVELS = 1 << 16
Images = npt.NDArray[Any] | torch.Tensor

# (node, settings, share of saturating activations by scale point) -> fields that toggles choose
TOGGLES: Interpretation[Callable[..., dict[str, Any]]] = Interpretation("toggles")
TOGGLES.of(Conv, Linear, Affine, Add, Concat, Reshape, SumPool)(lambda *_: {})
TOGGLES.of(Input)(lambda _, settings, __: {"input": settings.input})
TOGGLES.of(MaxPool)(lambda _, settings, __: {"pooling": settings.pooling})


@TOGGLES.of(Neuron)
def _of_neuron(
    node: Neuron, settings: ConversionSettings, saturating: dict[str, float]
) -> dict[str, Any]:
    start = settings.initial_potential
    share = saturating[node.name]
    return {
        "reset": settings.reset, "spikes": settings.spikes, "initial_potential": start,
        "saturating": share,
    }  # fmt: skip


@TOGGLES.of(Output)
def _of_output(_: Output, settings: ConversionSettings, __: object) -> dict[str, Any]:
    clock = {"clock_rate": settings.clock_rate, "draw": settings.softmax_draw}
    dynamics = {"reset": settings.reset, "spikes": settings.spikes}
    return {"output": settings.output, **dynamics, **clock}


@keywords_by_name
def convert(
    module: nn.Module, calibration_images: Images, *, levels: int | None = None,
    reset: str = "subtract", spikes: str = "binary", input: str = "analog",
    normalization: str = "percentile", percentile: float = 99.9, population: str = "nonzero",
    pooling: str = "rise", output: str = "softmax", clock_rate: float = 0.3,
    softmax_draw: bool = False, initial_potential: float = 0.0, grid: int = 14,
    calibration: str = "none", for_steps: int = 0, output_from: int = 1,
) -> SpikingSpec:  # fmt: skip
    """The spiking network of `module`, whose rates times scales are its activations.

    `module` is any network in eval mode that torch.fx can trace, from images (N, *shape) to one
    value per class. `calibration_images` set the scales: whole numbers k that stand for pixels
    k / levels (uint8: 255 unless said otherwise), or floats, which are rounded to multiples of
    2^-16. All other arguments are toggles; `ConversionSettings` gives their meanings.

    Raises:
        ConversionError: lists every operation that cannot be converted, and what would work.
        SettingError: a toggle is unknown, or its value is not allowed.
    """
    return explain(**locals()).spec


@keywords_by_name
def explain(
    module: nn.Module, calibration_images: Images, *, levels: int | None = None,
    reset: str = "subtract", spikes: str = "binary", input: str = "analog",
    normalization: str = "percentile", percentile: float = 99.9, population: str = "nonzero",
    pooling: str = "rise", output: str = "softmax", clock_rate: float = 0.3,
    softmax_draw: bool = False, initial_potential: float = 0.0, grid: int = 14,
    calibration: str = "none", for_steps: int = 0, output_from: int = 1,
) -> Conversion:  # fmt: skip
    """As `convert`: the spec with its account of every traced operation.

    Raises:
        ConversionError: lists every operation that cannot be converted, and what would work.
        SettingError: a toggle is unknown, or its value is not allowed.
    """
    settings = ConversionSettings(
        reset, spikes, input, normalization, percentile, population, pooling, output, clock_rate,
        softmax_draw, initial_potential, grid, calibration, for_steps, output_from,
    )  # fmt: skip
    images, levels = whole_numbers(calibration_images, levels)
    graph = analog_graph(module, images.shape[1:])
    return converted(graph, collect(graph, images, levels), settings, levels, images)


def converted(
    graph: AnalogGraph,
    statistics: Statistics,
    settings: ConversionSettings,
    levels: int,
    images: npt.NDArray[Any] | None = None,
) -> Conversion:
    """The conversion of `graph` for any toggles, from statistics that `collect` gave before.

    An image given as whole numbers k stands for pixels k / levels. `images` are those that
    `calibration` corrects on; without calibration none are needed.

    Raises:
        ConversionError: the statistics are of another network, or the toggles do not fit it.
    """
    found = scales(graph, statistics, settings)
    saturating = {name: layer.share_above(found[name]) for name, layer in statistics.layers.items()}
    if not POOLINGS[settings.pooling].passes:
        graph = with_average_pools(graph)
    nodes, grid = gridded(rescaled(graph, found), settings.grid)
    toggled = (dataclasses.replace(n, **TOGGLES[n](n, settings, saturating)) for n in nodes)
    try:
        spec = SpikingSpec(tuple(toggled), grid, levels, settings.for_steps)
        spec = _counting_from(spec, statistics, found, settings.output_from)
        if corrects := CALIBRATIONS[settings.calibration].corrects:
            if images is None:
                raise ValueError(f"calibration={settings.calibration} needs calibration images")
            spec = calibrated(spec, images, graph.ceilings, corrects)
    except SpecError as error:
        raise ConversionError(str(error)) from error
    return Conversion(spec, fates(graph), dict(graph.ceilings), statistics.dead)


def _counting_from(
    spec: SpikingSpec, statistics: Statistics, found: dict[str, Array], first: int
) -> SpikingSpec:
    """The spec whose output counts from the step `first`; 0 is the step that suits it."""
    first = first or first_counted_step(spec, statistics, found)
    return spec.replace(spec.output.name, from_step=first) if first != 1 else spec


def whole_numbers(images: Images, levels: int | None) -> tuple[npt.NDArray[Any], int]:
    """Images as whole numbers k, and the levels that they count in.

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
    if levels is None and array.dtype != np.uint8:
        raise ValueError(f"images of {array.dtype} need levels: pixels are k / levels")
    return array, 255 if levels is None else levels
