"""The conversion of an analog network into a spiking one."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from ann2snn.conversion.account import Conversion, fates
from ann2snn.conversion.agreement import hold_to_module
from ann2snn.conversion.analog_graph import AnalogGraph
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.calibration import collect
from ann2snn.conversion.corrections import calibrated
from ann2snn.conversion.dyadic_grid import (
    gridded,
    largest_parameter,
    parameters,
    without_faint_channels,
)
from ann2snn.conversion.few_steps import completed
from ann2snn.conversion.image_batches import Images, batches
from ann2snn.conversion.output_start import first_counted_step
from ann2snn.conversion.refusal import ConversionError
from ann2snn.conversion.scales import scales
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.simplification import with_average_pools
from ann2snn.conversion.statistics import Statistics
from ann2snn.conversion.streams import one_scale_per_stream
from ann2snn.conversion.threshold_units import rescaled
from ann2snn.conversion.trace import analog_graph
from ann2snn.mechanisms.calibrations import CALIBRATIONS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.mechanisms.spikes import SPIKES
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
    Select,
    SpecError,
    SpikingSpec,
    SumPool,
)
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import Array

GRID_ERROR = 0.05  # of the largest output, where the grid is coarser than it was asked for
SHOWN = 8  # images on which that is looked at
BYTES = 255

# (node, settings, share of saturating activations by scale point) -> fields that toggles choose
TOGGLES: Interpretation[Callable[..., dict[str, Any]]] = Interpretation("toggles")
TOGGLES.of(Conv, Linear, Affine, Add, Concat, Select, Reshape, SumPool)(lambda *_: {})
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
    2^-16; as one array, or as a DataLoader or any iterable of batches. On some of them `module`
    itself runs, and comes out unchanged: its outputs must be those of its traced form. All other
    arguments are toggles; `ConversionSettings` gives their meanings. Their defaults are the paper's
    method; `for_steps` alone takes what is best for so many steps (`conversion.few_steps`).

    Raises:
        ConversionError: lists every operation that cannot be converted, and what would work; or
            names the first layer at which the traced form differs from the module; or says that
            the module divides images of bytes itself.
        ValueError: the images are no finite numbers, or there are none.
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
        ConversionError, ValueError: as `convert`.
        SettingError: a toggle is unknown, or its value is not allowed.
    """
    given = locals()
    toggles = {own.name: given[own.name] for own in dataclasses.fields(ConversionSettings)}
    settings = ConversionSettings(**completed(toggles))
    images = batches(calibration_images, levels)
    of_bytes = levels is None and images.levels == BYTES
    graph = analog_graph(module, images.shape, of_bytes=of_bytes)
    hold_to_module(module, graph, images.first, images.levels)
    every = None
    if CALIBRATIONS[settings.calibration].corrects:
        every = np.concatenate(list(images.rest))
    statistics = collect(graph, images.rest if every is None else every, images.levels)
    conversion = converted(graph, statistics, settings, images.levels, every)
    if settings.grid >= 0 and conversion.spec.grid != settings.grid:
        finer = dataclasses.replace(settings, grid=-1)
        unrounded = converted(graph, statistics, finer, images.levels, every)
        _check_grid(conversion, unrounded, images.first[:SHOWN])
    return conversion


def _check_grid(rounded: Conversion, unrounded: Conversion, images: npt.NDArray[Any]) -> None:
    """Holds the outputs of a network on a coarser grid than asked for to those without a grid.

    Raises:
        ConversionError: they differ by more than `GRID_ERROR`; names the layer and channel whose
            weights are so large.
    """
    with_grid, without = (
        analog_outputs(c.spec, images, c.ceilings) * c.spec.output.scale
        for c in (rounded, unrounded)
    )
    error = np.abs(with_grid - without).max() / np.abs(without).max()
    if error > GRID_ERROR:
        node = max(unrounded.spec, key=largest_parameter)
        largest = largest_parameter(node)
        channel = next(
            np.argwhere(np.abs(array) == largest)[0][0]
            for _, array in parameters(node)
            if array.size and np.abs(array).max() == largest
        )
        raise ConversionError(
            f"{node.name}: channel {channel} has a weight of {largest:.3g} thresholds, for which"
            f" the whole network would be rounded to multiples of 2^-{rounded.spec.grid} and its"
            f" outputs change by {100 * error:.0f} %; instead: calibration images that the layer"
            " responds to, or grid=-1"
        )


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
    asked = one_scale_per_stream(graph, statistics, scales(graph, statistics, settings))
    most = {name: SPIKES[settings.spikes].most if isinstance(graph.nodes[name], Neuron) else 1
            for name in asked}  # fmt: skip
    asked = {name: scale / most[name] for name, scale in asked.items()}
    found = without_faint_channels(asked, settings.grid, lambda points: rescaled(graph, points))
    raised = {
        name: tuple(np.flatnonzero(found[name] != scale).tolist())
        for name, scale in asked.items()
        if (found[name] != scale).any()
    }
    saturating = {
        name: layer.share_above(found[name] * most[name])
        for name, layer in statistics.layers.items()
    }
    if not POOLINGS[settings.pooling].passes:
        graph = with_average_pools(graph)
    nodes, grid = gridded(rescaled(graph, found), settings.grid)
    toggled = (dataclasses.replace(n, **TOGGLES[n](n, settings, saturating)) for n in nodes)
    try:
        spec = SpikingSpec(tuple(toggled), grid, levels, settings.for_steps, statistics.pixels)
        spec = _counting_from(spec, statistics, found, settings.output_from)
        if corrects := CALIBRATIONS[settings.calibration].corrects:
            if images is None:
                raise ValueError(f"calibration={settings.calibration} needs calibration images")
            spec = calibrated(spec, images, graph.ceilings, corrects)
    except SpecError as error:
        raise ConversionError(str(error)) from error
    return Conversion(spec, fates(graph), dict(graph.ceilings), statistics.dead, raised)


def _counting_from(
    spec: SpikingSpec, statistics: Statistics, found: dict[str, Array], first: int
) -> SpikingSpec:
    """The spec whose output counts from the step `first`; 0 is the step that suits it."""
    first = first or first_counted_step(spec, statistics, found)
    return spec.replace(spec.output.name, from_step=first) if first != 1 else spec
