"""Simulation of any number of images in constant memory, block by block, resumable.

The event engine needs no torch, whose import takes longer than many a run: only what uses it loads
it.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from ann2snn.settings import SettingError
from ann2snn.simulation.block import Block
from ann2snn.simulation.certificate import certify, inexact_images
from ann2snn.simulation.parts import Arrays, Indices, Request, joined, summary
from ann2snn.simulation.result import SimulationResult
from ann2snn.simulation.settings import NARROW, SimulationSettings, available_cores
from ann2snn.spec import SpikingSpec
from ann2snn.spec.graph import arrays_of

if TYPE_CHECKING:
    from ann2snn.simulation.watch import Watch

FLOAT_LEVELS = 1 << 16
NOTHING_MORE = Request()
HALF = 0.5  # of a block's images: float64 takes about twice the time of 32 bits
WITHOUT_TRACE = ("threads", "progress")  # settings that leave no trace in a block


def simulate(
    spec: SpikingSpec,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    potentials: bool = False,
    record: Mapping[str, Sequence[int]] | None = None,
    **toggles: Any,
) -> SimulationResult:
    """Simulates `spec` on images (N, C, H, W): whole numbers k for pixels k / spec.levels, or
    floats, which are rounded to multiples of 2^-16. `toggles` are those of `SimulationSettings`.

    With `potentials` the result holds those of the output for every image and step, and with
    `record`, a mapping of neuron layers to units, the spike trains of those units: both take memory
    for every image, where all else is summed up.

    Raises:
        SettingError: a toggle is off its rule.
        ValueError: images, labels or units do not fit the spec.
    """
    request = Request(potentials, {name: list(units) for name, units in (record or {}).items()})
    settings = SimulationSettings(**toggles)
    images = np.asarray(images)
    if np.issubdtype(images.dtype, np.floating):
        images = np.rint(images.astype(np.float64) * FLOAT_LEVELS).astype(np.int64)
        spec = SpikingSpec(spec.nodes, spec.grid, FLOAT_LEVELS)
    return simulate_with(spec, images, np.asarray(labels), settings, request=request)


def simulate_with(
    spec: SpikingSpec,
    images: np.ndarray,
    labels: np.ndarray,
    settings: SimulationSettings,
    *,
    indices: Indices | None = None,
    partial: Path | None = None,
    request: Request = NOTHING_MORE,
) -> SimulationResult:
    """As `simulate`, on the images of `indices` alone; finished blocks are kept in `partial`, and a
    run that finds them there goes on from them.

    Precision `auto` simulates in 32 bits, and again in float64 those images that could have lost a
    bit there; where rates are compared, all in float64.

    Raises:
        ValueError: images or labels do not fit the spec.
        RuntimeError: an engine failed; the message names the images.
    """
    check_images(spec, images, labels)
    request.check(spec)
    chosen = np.arange(len(images)) if indices is None else np.asarray(indices, np.int64)
    settings = replace(settings, engine=chosen_engine(settings))
    narrow = NARROW[settings.engine]
    if settings.precision == "auto" and (
        settings.compare
        or not certify(spec, {}, settings.steps, narrow).exact
        or max(int(images.max()), -int(images.min())) > spec.levels  # beyond what certify bounds
    ):
        settings = replace(settings, precision="float64")
    blocks = [chosen[i : i + settings.block] for i in range(0, len(chosen), settings.block)]
    run_id = identity(spec, settings, chosen, images, request)
    parts: list[Arrays] = []
    lost = 0.0
    with (
        _torchs_threads(settings),
        tqdm(total=len(chosen), unit=" images", disable=not settings.progress) as progress,
    ):
        for number, places in enumerate(blocks):
            path = partial / f"{run_id}-{number}.safetensors" if partial else None
            part = _kept(path) if path else None
            if part is None:
                watch = None
                if settings.compare:
                    from ann2snn.simulation.watch import Watch

                    watch = Watch(spec, images[places], places, settings.seed)
                block, repeated = certain_block(
                    spec, images, places, settings, request, watch, double_first=lost > HALF
                )
                part = summary(spec, block, labels, places, settings, request)
                part |= watch.arrays() if watch else {}
                part["repeated/images"] = np.array([repeated])
                if path:
                    _keep(part, path)
            parts.append(part)
            lost = int(part["repeated/images"][0]) / len(places)
            progress.update(len(places))
    return joined(spec, parts, labels[chosen].astype(np.int64), settings)


@contextmanager
def _torchs_threads(settings: SimulationSettings) -> Iterator[None]:
    """Within, torch has the threads of the settings, where it is what computes."""
    if settings.engine != "dense":
        yield
        return
    import torch

    known, wanted = torch.get_num_threads(), settings.threads or available_cores()
    try:
        if known != wanted:
            torch.set_num_threads(wanted)
        yield
    finally:
        if known != wanted:
            torch.set_num_threads(known)


def _kept(path: Path) -> Arrays | None:
    """What a finished block left; None if it is not there, or not whole after a power cut."""
    try:
        return load_file(path)
    except (FileNotFoundError, SafetensorError):
        return None


def _keep(part: Arrays, path: Path) -> None:
    """Writes a block's part at once or not at all, and to the disk itself before it bears its name:
    what reads well shall also be right."""
    temporary = path.with_suffix(".tmp")
    save_file(part, temporary)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def check_images(spec: SpikingSpec, images: np.ndarray, labels: np.ndarray) -> None:
    """Holds images and labels to what the spec takes.

    Raises:
        ValueError: names what does not fit.
    """
    if images.shape[1:] != spec.input.shape:
        wanted = ", ".join(str(size) for size in spec.input.shape)
        raise ValueError(f"images must have shape (N, {wanted}), got {images.shape}")
    if not np.issubdtype(images.dtype, np.integer):
        raise ValueError(f"images must be whole numbers or floats, got {images.dtype}")
    if np.iinfo(images.dtype).max < spec.levels:
        raise ValueError(
            f"images must be floats, or whole numbers up to {spec.levels}, as those that the spec"
            f" was calibrated on, got {images.dtype}"
        )
    if len(images) == 0:
        raise ValueError("images must hold at least one image, got none")
    if spec.classes < 2:
        raise ValueError(f"a spec must have at least 2 classes to choose from, got {spec.classes}")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"labels must have shape ({len(images)},), got {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be whole numbers, got {labels.dtype}")
    if labels.min() < 0 or labels.max() >= spec.classes:
        raise ValueError(
            f"labels must be in [0, {spec.classes}), got {labels.min()} to {labels.max()}"
        )
    if spec.input.input == "poisson" and (images.min() < 0 or images.max() > spec.levels):
        raise ValueError(
            f"Poisson input takes pixels in [0, 1], got {images.min() / spec.levels:g} to"
            f" {images.max() / spec.levels:g}"
        )


def identity(
    spec: SpikingSpec,
    settings: SimulationSettings,
    chosen: Indices,
    images: np.ndarray,
    request: Request,
) -> str:
    """Names a run by all that its blocks depend on, so that no other run's are believed."""
    shaping = {name: value for name, value in asdict(settings).items() if name not in WITHOUT_TRACE}
    digest = hashlib.sha256(
        repr((spec.grid, spec.levels, sorted(shaping.items()), request)).encode()
    )
    for node in spec:
        plain = {k: v for k, v in vars(node).items() if not isinstance(v, np.ndarray)}
        digest.update(repr((node.kind, sorted(plain.items(), key=str))).encode())
        for array in arrays_of(node).values():
            digest.update(np.ascontiguousarray(array).data)
    digest.update(chosen.tobytes())
    digest.update(np.ascontiguousarray(images[chosen]).data)
    return digest.hexdigest()[:32]


def chosen_engine(settings: SimulationSettings) -> str:
    """The engine that `auto` stands for: compiled kernels on a processor, torch on a GPU.

    Raises:
        SettingError: there is no such device.
    """
    if settings.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SettingError("device must be cpu here, got 'cuda': torch finds no GPU")
    if settings.engine != "auto":
        return settings.engine
    return "dense" if settings.compare or settings.device == "cuda" else "event"


def certain_block(
    spec: SpikingSpec,
    images: np.ndarray,
    places: Indices,
    settings: SimulationSettings,
    request: Request,
    watch: "Watch | None",
    double_first: bool,
) -> tuple[Block, int]:
    """One block in the chosen precision; with `auto`, of how many of its images 32 bits could lose
    a bit, so that they go through float64: after 32 bits, or at once with `double_first`, which
    gives the same and is less work where most images do."""
    if settings.precision != "auto":
        return block_of(spec, images, places, settings, settings.precision, request, watch), 0
    narrow = NARROW[settings.engine]
    first = "float64" if double_first else narrow
    block = block_of(spec, images, places, settings, first, request, watch)
    lost = inexact_images(spec, block.largest, settings.steps, narrow)
    if len(lost) and not double_first:
        block.put(lost, block_of(spec, images, places[lost], settings, "float64", request, None))
    return block, len(lost)


def block_of(
    spec: SpikingSpec,
    images: np.ndarray,
    places: Indices,
    settings: SimulationSettings,
    precision: str,
    request: Request,
    watch: "Watch | None",
) -> Block:
    """One block by the chosen engine."""
    own = np.ascontiguousarray(images[places])
    try:
        if settings.engine == "event":
            from ann2snn.simulation import event

            return event.simulate_block(
                spec, own, places,
                steps=settings.steps, seed=settings.seed,
                precision=precision, threads=settings.threads, record=request.units,
            )  # fmt: skip
        from ann2snn.simulation import dense

        return dense.simulate_block(
            spec, own, places,
            steps=settings.steps, seed=settings.seed,
            precision=precision, device=settings.device, record=request.units,
            watch=watch,
        )  # fmt: skip
    except Exception as error:
        raise RuntimeError(
            f"simulation of images {places[0]} to {places[-1]} failed: {error}"
        ) from error
