"""All that a run is given besides its toggles, held to the spec before any work."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.numerics.pixels import FAR, FLOAT_LEVELS, whole_numbers
from ann2snn.settings import SettingError
from ann2snn.simulation.settings import SimulationSettings
from ann2snn.spec import Neuron, SpikingSpec


@dataclass(frozen=True)
class Request:
    """Numbers to keep of every image beside the sums, in memory that grows with the images: the
    output's `potentials` at every step, and the spike trains of chosen `units` of neuron layers,
    which count in (channel, row, column) order."""

    potentials: bool = False
    units: dict[str, list[int]] = field(default_factory=dict)

    def check(self, spec: SpikingSpec) -> None:
        """Holds the chosen units to the spec.

        Raises:
            ValueError: names the layer or unit that is not there.
        """
        layers = [node.name for node in spec if isinstance(node, Neuron)]
        for name, units in self.units.items():
            if name not in layers:
                raise ValueError(f"record must name layers among {', '.join(layers)}, got {name!r}")
            size = int(np.prod(spec.shapes[name]))
            for unit in units:
                if not 0 <= unit < size:
                    raise ValueError(f"units of {name} must be in [0, {size}), got {unit}")


def check_compared(spec: SpikingSpec, settings: SimulationSettings) -> None:
    """Rates are held against activations that one spike a step can express.

    Raises:
        SettingError: they are to be compared, and a layer sends more.
    """
    for node in spec:
        if settings.compare and isinstance(node, Neuron) and SPIKES[node.spikes].most > 1:
            raise SettingError(
                f"compare must be false with spikes={node.spikes}, of which {node.name} sends up to"
                f" {SPIKES[node.spikes].most} a step"
            )


def in_axes_of(spec: SpikingSpec, images: np.ndarray) -> np.ndarray:
    """The images in the axes of the spec, to which (N, C, L) are images of height 1; in other
    shapes they are handed back as they are."""
    shape = spec.input.shape
    if len(shape) == 3 and shape[1] == 1 and images.shape[1:] == (shape[0], shape[2]):
        return images[:, :, None, :]
    return images


def given_images(spec: SpikingSpec, images: np.ndarray) -> tuple[SpikingSpec, np.ndarray]:
    """Images as whole numbers in the axes of the spec, and the spec that counts in their levels.

    Raises:
        ValueError: they are no numbers, or whole numbers where the spec was calibrated on floats.
    """
    images = in_axes_of(spec, images)
    if np.issubdtype(images.dtype, np.floating):
        images, levels = whole_numbers(images, None)
        return dataclasses.replace(spec, levels=levels), images
    if np.issubdtype(images.dtype, np.integer) and spec.levels == FLOAT_LEVELS:
        raise ValueError(
            f"images must be floats, as those that the spec was calibrated on, got {images.dtype};"
            " give the floats that the network itself takes"
        )
    return spec, images


def check_images(spec: SpikingSpec, images: np.ndarray, labels: np.ndarray | None) -> None:
    """Holds images and, where there are any, labels to what the spec takes.

    Raises:
        ValueError: names what does not fit.
    """
    if images.shape[1:] != spec.input.shape:
        sizes = [str(size) for size in spec.input.shape]
        wanted = f"(N, {', '.join(sizes)})"
        if sizes[1:2] == ["1"]:
            wanted += f" or (N, {sizes[0]}, {sizes[2]})"
        raise ValueError(f"images must have shape {wanted}, got {images.shape}")
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
    if labels is not None:
        _check_labels(spec, len(images), labels)
    reached = max(int(images.max()), -int(images.min())) / spec.levels
    known = max(-spec.pixels[0], spec.pixels[1])
    if reached > FAR * known or (known > FAR and 0 < reached * FAR < known):
        raise ValueError(
            f"images have pixels up to {reached:g}, those that the spec was calibrated on up to"
            f" {known:g}: they must be in one unit"
        )
    if not INPUTS[spec.input.input].static and (images.min() < 0 or images.max() > spec.levels):
        raise ValueError(
            f"input {spec.input.input} takes pixels in [0, 1], got {images.min() / spec.levels:g}"
            f" to {images.max() / spec.levels:g}"
        )


def _check_labels(spec: SpikingSpec, images: int, labels: np.ndarray) -> None:
    if labels.shape != (images,):
        raise ValueError(f"labels must have shape ({images},), got {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be whole numbers, got {labels.dtype}")
    if labels.min() < 0 or labels.max() >= spec.classes:
        raise ValueError(
            f"labels must be in [0, {spec.classes}), got {labels.min()} to {labels.max()}"
        )
