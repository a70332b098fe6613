"""Simulation of any number of images in constant memory, block by block, resumable."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ann2snn.progress import Progress
from ann2snn.settings import keywords_by_name
from ann2snn.simulation.certificate import certify, inexact_images
from ann2snn.simulation.checks import (
    Request,
    check_compared,
    check_images,
    given_images,
    in_axes_of,
)
from ann2snn.simulation.engines import ENGINES, Task, chosen_engine
from ann2snn.simulation.given_arrays import as_array
from ann2snn.simulation.image_block import Block
from ann2snn.simulation.joined_blocks import Arrays, Indices, joined, summary
from ann2snn.simulation.kept_blocks import keep, kept, run_identity
from ann2snn.simulation.result import SimulationResult
from ann2snn.simulation.settings import SimulationSettings, check_device
from ann2snn.spec import SpikingSpec

NOTHING_MORE = Request()
Images = Any  # an array or a tensor
HALF = 0.5  # of a block's images: float64 takes about twice the time of 32 bits


@keywords_by_name
def simulate(
    spec: SpikingSpec,
    images: Images,
    labels: Images | None = None,
    *,
    steps: int = 300,
    seed: int = 0,
    compare: bool = False,
    exit_margin: float = 0.0,
    engine: str = "auto",
    precision: str = "auto",
    device: Any = "cpu",
    threads: int = 0,
    memory: int = 64,
    block: int = 250,
    progress: bool = False,
    potentials: bool = False,
    record: Mapping[str, Sequence[int]] | None = None,
) -> SimulationResult:
    """Simulates `spec` on images (N, C, H, W), or (N, C, L) of one dimension: whole numbers k for
    pixels k / spec.levels, or floats, which are rounded to multiples of 2^-16; arrays, or tensors
    of any device. Without `labels` (N,) the result gives predictions, and nothing that needs to
    know the right answer.

    The toggles, `steps` to `progress`, are those of `SimulationSettings`, where their ranges and
    meanings stand. With `potentials` the result holds those of the output for every image and step,
    and with `record`, a mapping of neuron layers to units, the spike trains of those units: both
    take memory for every image, where all else is summed up.

    Raises:
        SettingError: a toggle is off its rule, or has another name; or the engine does not support
            the spec.
        ValueError: images, labels or units do not fit the spec.
    """
    settings = SimulationSettings(
        steps=steps, seed=seed, compare=compare, exit_margin=exit_margin, engine=engine,
        precision=precision, device=str(device), threads=threads, memory=memory, block=block,
        progress=progress,
    )  # fmt: skip
    request = Request(potentials, {name: list(units) for name, units in (record or {}).items()})
    spec, images = given_images(spec, as_array(images))
    known = None if labels is None else as_array(labels)
    return run_blocks(spec, images, known, settings, request=request)


def run_blocks(
    spec: SpikingSpec,
    images: np.ndarray,
    labels: np.ndarray | None,
    settings: SimulationSettings,
    *,
    indices: Indices | None = None,
    partial: Path | None = None,
    request: Request = NOTHING_MORE,
) -> SimulationResult:
    """The result of all blocks of the images at `indices`, whole numbers k; finished blocks are
    kept in `partial`, and a run that finds them there goes on from them.

    Precision `auto` simulates in 32 bits, and again in float64 those images that could have lost a
    bit there; where rates are compared, all in float64.

    Raises:
        SettingError: the engine does not support the spec, or there is no such device.
        ValueError: images, labels or units do not fit the spec.
        RuntimeError: an engine failed; the message names the images.
    """
    images = in_axes_of(spec, images)
    check_images(spec, images, labels)
    request.check(spec)
    check_device(settings)
    check_compared(spec, settings)
    settings = decided(settings, spec, images)
    chosen = np.arange(len(images)) if indices is None else np.asarray(indices, np.int64)
    run_id = run_identity(spec, settings, chosen, images, request) if partial else ""
    parts: list[Arrays] = []
    lost = 0.0
    with Progress("simulating", len(chosen), "images", shown=settings.progress) as progress:
        for start in range(0, len(chosen), settings.block):
            places = chosen[start : start + settings.block]
            path = partial / f"{run_id}-{len(parts)}.safetensors" if partial else None
            part = kept(path) if path else None
            if part is None:
                block, repeated = certain_block(
                    spec, images, places, settings, request, double_first=lost > HALF
                )
                part = summary(spec, block, labels, places, settings, request)
                part["repeated/images"] = np.array([repeated])
                if path:
                    keep(part, path)
            else:
                progress.starts_at(start + len(places))
            parts.append(part)
            lost = int(part["repeated/images"][0]) / len(places)
            progress.count(start + len(places))
    known = None if labels is None else labels[chosen].astype(np.int64)
    return joined(spec, parts, known, settings, request)


def decided(
    settings: SimulationSettings, spec: SpikingSpec, images: np.ndarray
) -> SimulationSettings:
    """The settings with the engine that `auto` stands for, and with float64 from the start where no
    image can be sure to be exact in 32 bits or rates are compared."""
    settings = replace(settings, engine=chosen_engine(settings, spec).name)
    if settings.precision == "auto" and (
        settings.compare
        or not certify(spec, {}, settings.steps, ENGINES[settings.engine].narrow).exact
        or max(int(images.max()), -int(images.min())) > spec.levels  # beyond the bounds of certify
    ):
        settings = replace(settings, precision="float64")
    return settings


def certain_block(
    spec: SpikingSpec,
    images: np.ndarray,
    places: Indices,
    settings: SimulationSettings,
    request: Request = NOTHING_MORE,
    *,
    double_first: bool = False,
) -> tuple[Block, int]:
    """One block in the chosen precision; with `auto`, of how many of its images 32 bits could lose
    a bit, so that they go through float64: after 32 bits, or at once with `double_first`, which
    gives the same and is less work where most images do."""
    if settings.precision != "auto":
        return _block(spec, images, places, settings, settings.precision, request), 0
    narrow = ENGINES[settings.engine].narrow
    first = "float64" if double_first else narrow
    block = _block(spec, images, places, settings, first, request)
    lost = inexact_images(spec, block.largest, settings.steps, narrow)
    if len(lost) and not double_first:
        block.put(lost, _block(spec, images, places[lost], settings, "float64", request))
    return block, len(lost)


def _block(
    spec: SpikingSpec,
    images: np.ndarray,
    places: Indices,
    settings: SimulationSettings,
    precision: str,
    request: Request,
) -> Block:
    """One block by the chosen engine."""
    own = np.ascontiguousarray(images[places])
    try:
        return ENGINES[settings.engine].block(
            Task(spec, own, places, settings, precision, request.units)
        )
    except Exception as error:
        raise RuntimeError(
            f"simulation of images {places[0]} to {places[-1]} failed: {error}"
        ) from error
