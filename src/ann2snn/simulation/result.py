"""The result of a simulation, as numbers and curves."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.numerics.intervals import wilson_interval
from ann2snn.numerics.steps_to_level import lasting_step_at
from ann2snn.simulation.certificate import Certificate
from ann2snn.simulation.comparison import Comparison
from ann2snn.simulation.given_arrays import as_classes
from ann2snn.simulation.result_plots import Plots
from ann2snn.simulation.result_table import result_table
from ann2snn.spec import Neuron, SpikingSpec
from ann2snn.spec.cost import macs_per_image, multiply_accumulates

Counts = npt.NDArray[np.int64]
LAST = 50


@dataclass(frozen=True, repr=False)
class SimulationResult(Plots):
    """Sums over images at every step, and the answers of each image. Prints itself as a table.

    Without `labels`, all that tells right from wrong is empty or None. `ranks` (steps, classes)
    count the images whose label has each place by accumulated potential.

    `right` and `undecided` count images by output and step; `spikes`, the `negative` ones among
    them, `synops` and `pool_operations` count by node and step what `Block` defines. `predictions`
    and `lasting` (the first step from which the answer stays right, 0 if none) are by output and
    image; `exits` holds by margin the answer and the step of every image. Where images leave early,
    `taken` are the steps that each took; at later ones it costs nothing and keeps its answer.
    `engine` and `precision` are what ran; `repeated` images went through float64 as well, since 32
    bits could have lost one of theirs. On request, `potentials` (images, steps, classes) are the
    currents into the output, summed up to each step, and `trains` the spikes of chosen units
    (images, steps, units) by layer, which are the `recorded` ones. `comparisons` hold rates against
    activations by neuron layer, in order, where the run compared them.
    """

    spec: SpikingSpec
    steps: int
    labels: Counts | None
    right: dict[str, Counts]
    ranks: Counts | None
    undecided: dict[str, Counts]
    predictions: dict[str, Counts]
    lasting: dict[str, Counts]
    exits: dict[float, tuple[Counts, Counts]]
    spikes: dict[str, Counts]
    negative: dict[str, Counts]
    synops: dict[str, Counts]
    pool_operations: dict[str, Counts]
    certificate: Certificate
    engine: str
    precision: str
    repeated: int
    taken: Counts | None
    potentials: npt.NDArray[np.float64] | None
    trains: dict[str, npt.NDArray[np.integer | np.bool_]]
    recorded: dict[str, list[int]]
    comparisons: dict[str, Comparison]

    def __repr__(self) -> str:
        return result_table(self)

    @property
    def images(self) -> int:
        return len(self.predictions[self.spec.output.output])

    @property
    def answers(self) -> Counts:
        """The class of each image by the spec's own output at the last step; -1 where it has none
        yet."""
        return self.predictions[self.spec.output.output]

    def accuracy(self, output: str | None = None) -> npt.NDArray[np.float64]:
        """Percent of images answered rightly at every step by `output`, the spec's own if it is not
        named; no answer counts as wrong.

        Raises:
            ValueError: the run had no labels.
        """
        self.known_labels()
        return 100 * self.right[OUTPUTS[output or self.spec.output.output].name] / self.images

    def top_accuracy(self, places: int = 5) -> npt.NDArray[np.float64]:
        """Percent of images whose label is among the classes with the largest accumulated
        potential, as many as `places`, at every step.

        Raises:
            ValueError: the run had no labels, or there are not so many classes.
        """
        self.known_labels()
        assert self.ranks is not None
        if not 1 <= places <= self.spec.classes:
            raise ValueError(f"places must be in [1, {self.spec.classes}], got {places}")
        within: npt.NDArray[np.float64] = 100 * self.ranks[:, :places].sum(1) / self.images
        return within

    def rates(self) -> dict[str, float]:
        """The mean firing rate of each neuron layer: spikes of either sign per neuron and step that
        was taken."""
        steps = self.steps if self.taken is None else float(self.taken.mean())
        return {name: float(rate.sum()) / steps for name, rate in self.rates_by_step().items()}

    def rates_by_step(self) -> dict[str, npt.NDArray[np.float64]]:
        """The share of each layer's neurons that spike in each step (steps,), over all images."""
        return {
            node.name: self.spikes[node.name]
            / (self.images * math.prod(self.spec.shapes[node.name]))
            for node in self.spec
            if isinstance(node, Neuron)
        }

    def known_labels(self) -> Counts:
        """The labels.

        Raises:
            ValueError: the run had none.
        """
        if self.labels is None:
            raise ValueError(
                "this run had no labels: simulate(spec, images, labels) counts right ones"
            )
        return self.labels

    def metrics(self, ann_answers: npt.ArrayLike | None = None) -> dict[str, object]:
        """Single numbers; with `ann_answers`, the analog network's class of each image (an array or
        a tensor, whole numbers (images,)), also those that compare with it, such as the percent of
        images with one answer (`agreement`). Without labels, none that need them.

        Raises:
            ValueError: `ann_answers` are no classes of the images.
        """
        neurons = [node.name for node in self.spec if isinstance(node, Neuron)]
        spikes = sum(int(self.spikes[name].sum()) for name in neurons)
        per_neuron = spikes / (self.images * max(1, self.spec.neurons))
        mean_steps = self.steps if self.taken is None else float(self.taken.mean())
        first = [n for n in self.spec if self.spec.is_static(n.name)]
        found: dict[str, object] = {
            **self._accuracies(),
            "undecided": 100 * int(self.undecided[self.spec.output.output][-1]) / self.images,
            "spikes_per_neuron": per_neuron,
            "mean_rate": per_neuron / mean_steps,
            "synops_per_image": sum(int(s.sum()) for s in self.synops.values()) / self.images,
            "pool_operations_per_image": sum(int(s.sum()) for s in self.pool_operations.values())
            / self.images,
            "macs_per_image": macs_per_image(self.spec),
            "first_layer_macs": sum(multiply_accumulates(self.spec, node) for node in first),
            "exact": self.certificate.exact,
            "images": self.images,
            "steps": self.steps,
        }
        if self.taken is not None:
            found["mean_steps"] = mean_steps
        if self.negative:
            taken_back = sum(int(self.negative[name].sum()) for name in neurons)
            found["negative_spikes_per_neuron"] = taken_back / (
                self.images * max(1, self.spec.neurons)
            )
        if ann_answers is None:
            return found
        theirs = as_classes(ann_answers, self.images, "ann_answers")
        found["agreement"] = 100 * float((theirs == self.answers).mean())
        if self.labels is not None:
            ann = 100 * float((theirs == self.labels).mean())
            found["ann_accuracy"] = ann
            found["steps_to_99"] = lasting_step_at(self.accuracy().tolist(), 0.99 * ann)
        return found

    def _accuracies(self) -> dict[str, object]:
        if self.labels is None:
            return {}
        accuracy = self.accuracy()
        right = int(self.right[self.spec.output.output][-1])
        low, high = wilson_interval(right / self.images, self.images)
        return {
            "snn_accuracy": float(accuracy[-1]),
            "snn_accuracy_last50": float(accuracy[-LAST:].mean()),
            "interval_low": low,
            "interval_high": high,
            **{f"accuracy_{output}": float(self.accuracy(output)[-1]) for output in OUTPUTS},
        }

    def curves(self) -> dict[str, list[float]]:
        """Numbers by step, to six significant digits; early exit by margin. Without labels, none
        that need them."""
        neurons = [node.name for node in self.spec if isinstance(node, Neuron)]
        zeros = np.zeros(self.steps)
        outputs = OUTPUTS if self.labels is not None else ()
        accuracy = {"accuracy": self.accuracy()} if outputs else {}
        named = {
            **accuracy,
            "undecided": 100 * self.undecided[self.spec.output.output] / self.images,
            **{f"accuracy_{output}": self.accuracy(output) for output in outputs},
            "spikes": sum((self.spikes[n] for n in neurons), zeros) / self.images,
            "synops": sum(self.synops.values(), zeros) / self.images,
            **{f"spikes/{n}": s / self.images for n, s in self.spikes.items()},
            **{f"negative_spikes/{n}": s / self.images for n, s in self.negative.items()},
            **{f"synops/{n}": s / self.images for n, s in self.synops.items()},
        }
        margins = sorted(self.exits)
        named["early_exit_margin"] = np.array(margins)
        if self.labels is not None:
            right = [100 * (self.exits[m][0] == self.labels).mean() for m in margins]
            named["early_exit_accuracy"] = np.array(right)
        for layer, found in self.comparisons.items():
            named[f"rate_error/{layer}"] = found.error
            named[f"rate_bias/{layer}"] = found.bias
            named[f"rate_correlation/{layer}"] = found.correlation
        named["early_exit_steps"] = np.array([self.exits[m][1].mean() for m in margins])
        return {n: [float(f"{value:.6g}") for value in curve] for n, curve in named.items()}

    def details(self) -> dict[str, object]:
        """All that is no number or curve: by layer, how rates compare with activations."""
        if not self.comparisons:
            return {}
        return {"comparison": {name: c.details() for name, c in self.comparisons.items()}}
