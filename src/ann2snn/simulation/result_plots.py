"""The plots of a result, by matplotlib, which is loaded when the first of them is asked for."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ann2snn.mechanisms.outputs import OUTPUTS, UNDECIDED
from ann2snn.numerics.intervals import wilson_interval
from ann2snn.simulation.energy import ADD, MULTIPLY_ADD, LayerEnergy, energies
from ann2snn.spec import Neuron

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ann2snn.simulation.result import SimulationResult

SHOWN = 60  # neurons of a raster that names none


def _drawn(name: str, *arguments: Any) -> "Figure":
    """The figure that the function of that name draws.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from ann2snn.plots import results
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise ImportError("plots need matplotlib: pip install 'ann2snn[plots]'") from error
    figure: Figure = getattr(results, name)(*arguments)
    return figure


class Plots:
    """What a `SimulationResult` can draw of itself; each gives a matplotlib figure."""

    @property
    def _result(self) -> "SimulationResult":
        return cast("SimulationResult", self)

    def plot_accuracy(self, ann_accuracy: float | None = None) -> "Figure":
        """Accuracy by step, of each output, the spec's own with its 95 % Wilson interval; with
        `ann_accuracy` (percent) also that of the analog network.

        Raises:
            ValueError: the run had no labels.
        """
        own = self._result.spec.output.output
        curves = {
            name: self._result.accuracy(name) for name in (own, *(o for o in OUTPUTS if o != own))
        }
        ends = np.array(
            [wilson_interval(value / 100, self._result.images) for value in curves[own]]
        )
        return _drawn(
            "accuracy", curves, ends[:, 0], ends[:, 1], ann_accuracy, _extent(self._result)
        )

    def plot_rates(self) -> "Figure":
        """The mean firing rate of each neuron layer by step."""
        return _drawn("rates", self._result.rates_by_step(), _extent(self._result))

    def plot_raster(self, layer: str | None = None, image: int = 0) -> "Figure":
        """The spikes of the recorded neurons of a layer, by default the first recorded one, for one
        image.

        Raises:
            ValueError: no spike trains of that layer were recorded, or there is no such image.
        """
        name = layer if layer is not None else next(iter(self._result.trains), None)
        if name not in self._result.trains:
            neurons = [node.name for node in self._result.spec if isinstance(node, Neuron)]
            known = ", ".join(self._result.trains) or "none"
            raise ValueError(
                f"layer must be one whose spikes were recorded ({known}), got {layer!r}: "
                f"simulate(..., record={{{(layer or neurons[0])!r}: range({SHOWN})}}) records some"
            )
        _check_image(self._result, image)
        train = self._result.trains[name][image]
        evidence = f"layer {name}, image {image}"
        return _drawn("raster", train, self._result.recorded[name], evidence)

    def plot_potentials(self, image: int = 0) -> "Figure":
        """The accumulated potential of each class by step, for one image.

        Raises:
            ValueError: the potentials were not kept, or there is no such image.
        """
        if self._result.potentials is None:
            raise ValueError("potentials were not kept: simulate(..., potentials=True) keeps them")
        _check_image(self._result, image)
        values = self._result.potentials[image]
        label = None if self._result.labels is None else int(self._result.labels[image])
        evidence = f"image {image}, {self._result.steps} steps"
        return _drawn("potentials", values, int(values[-1].argmax()), label, evidence)

    def confusion(self, output: str | None = None) -> np.ndarray:
        """Images by label and answer (classes, classes) at the last step; those without an answer
        are in no column.

        Raises:
            ValueError: the run had no labels.
        """
        labels = self._result.known_labels()
        answers = self._result.predictions[OUTPUTS[output or self._result.spec.output.output].name]
        counts = np.zeros((self._result.spec.classes, self._result.spec.classes), np.int64)
        given = answers != UNDECIDED
        np.add.at(counts, (labels[given], answers[given]), 1)
        return counts

    def plot_confusion(self, output: str | None = None) -> "Figure":
        """Labels against answers at the last step.

        Raises:
            ValueError: the run had no labels.
        """
        counts = self.confusion(output)
        return _drawn(
            "confusion", counts, self._result.images - int(counts.sum()), _extent(self._result)
        )

    def energy(
        self, add: float = ADD, multiply_add: float = MULTIPLY_ADD
    ) -> dict[str, LayerEnergy]:
        """Nanojoules of one image by layer with synapses, from picojoules of an addition and of a
        multiplication with an addition: an estimate of arithmetic alone (`simulation/energy.py`).
        """
        synops = {
            name: counts.sum() / self._result.images for name, counts in self._result.synops.items()
        }
        return energies(self._result.spec, synops, add, multiply_add)

    def plot_energy(self, add: float = ADD, multiply_add: float = MULTIPLY_ADD) -> "Figure":
        """The estimate of `energy` by layer, beside the analog network's."""
        found = self.energy(add, multiply_add)
        spiking = {name: layer.spiking for name, layer in found.items()}
        analog = {name: layer.analog for name, layer in found.items()}
        costs = f"{add:g} pJ an addition, {multiply_add:g} pJ a multiply-accumulate"
        words = f"{_extent(self._result)}; {costs}"
        return _drawn("energy", spiking, analog, words)


def _extent(result: "SimulationResult") -> str:
    return f"{result.images:,} images, {result.steps} steps, output {result.spec.output.output}"


def _check_image(result: "SimulationResult", image: int) -> None:
    if not 0 <= image < result.images:
        raise ValueError(f"image must be in [0, {result.images}), got {image}")
