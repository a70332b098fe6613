"""The result of a simulation, as numbers and curves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.numerics.intervals import wilson_interval
from ann2snn.numerics.steps_to_level import lasting_step_at
from ann2snn.simulation.certificate import Certificate
from ann2snn.simulation.comparison import Comparison
from ann2snn.spec import Neuron, SpikingSpec
from ann2snn.spec.cost import macs_per_image, multiply_accumulates

Counts = npt.NDArray[np.int64]
LAST = 50


@dataclass(frozen=True)
class SimulationResult:
    """Sums over images at every step, and the answers of each image.

    `right` and `undecided` count images by output and step; `spikes`, the
    `negative` ones among them, `synops` and `pool_operations` count by node and step what `Block`
    defines. `predictions` and `lasting` (the first step from which the answer stays right, 0 if
    none) are by output and image; `exits` holds by margin the answer and the step of every image.
    Where images leave early, `taken` are the steps that each took; at later ones it costs nothing
    and keeps its answer. `engine` and `precision` are what ran;
    `repeated` images went through float64 as well, since 32 bits could have lost one of theirs. On
    request, `potentials` (images, steps, classes) are the currents into the output, summed up to
    each step, and `trains` the spikes of chosen units (images, steps, units) by layer.
    `comparisons` hold rates against activations by neuron layer, in order, where the run compared
    them.
    """

    spec: SpikingSpec
    steps: int
    labels: npt.NDArray[np.int64]
    right: dict[str, Counts]
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
    comparisons: dict[str, Comparison]

    @property
    def images(self) -> int:
        return len(self.labels)

    def accuracy(self, output: str | None = None) -> npt.NDArray[np.float64]:
        """Percent of images answered rightly at every step by `output`, the spec's own if it is not
        named; no answer counts as wrong."""
        return 100 * self.right[output or self.spec.output.output] / self.images

    def metrics(self, ann_answers: npt.NDArray[np.int64] | None = None) -> dict[str, object]:
        """Single numbers; with `ann_answers` (images,), the analog network's classes, also those
        that compare with it, such as the percent of images with one answer (`agreement`)."""
        accuracy = self.accuracy()
        right = int(self.right[self.spec.output.output][-1])
        low, high = wilson_interval(right / self.images, self.images)
        neurons = [node.name for node in self.spec if isinstance(node, Neuron)]
        spikes = sum(int(self.spikes[name].sum()) for name in neurons)
        per_neuron = spikes / (self.images * max(1, self.spec.neurons))
        mean_steps = self.steps if self.taken is None else float(self.taken.mean())
        first = [n for n in self.spec if self.spec.is_static(n.name)]
        found: dict[str, object] = {
            "snn_accuracy": float(accuracy[-1]),
            "snn_accuracy_last50": float(accuracy[-LAST:].mean()),
            "interval_low": low,
            "interval_high": high,
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
        for output in OUTPUTS:
            found[f"accuracy_{output}"] = float(self.accuracy(output)[-1])
        if ann_answers is not None:
            ann = 100 * float((ann_answers == self.labels).mean())
            found["ann_accuracy"] = ann
            own = self.predictions[self.spec.output.output]
            found["agreement"] = 100 * float((ann_answers == own).mean())
            found["steps_to_99"] = lasting_step_at(accuracy.tolist(), 0.99 * ann)
        return found

    def curves(self) -> dict[str, list[float]]:
        """Numbers by step, to six significant digits; early exit by margin."""
        neurons = [node.name for node in self.spec if isinstance(node, Neuron)]
        zeros = np.zeros(self.steps)
        named = {
            "accuracy": self.accuracy(),
            "undecided": 100 * self.undecided[self.spec.output.output] / self.images,
            **{f"accuracy_{output}": self.accuracy(output) for output in OUTPUTS},
            "spikes": sum((self.spikes[n] for n in neurons), zeros) / self.images,
            "synops": sum(self.synops.values(), zeros) / self.images,
            **{f"spikes/{n}": s / self.images for n, s in self.spikes.items()},
            **{f"negative_spikes/{n}": s / self.images for n, s in self.negative.items()},
            **{f"synops/{n}": s / self.images for n, s in self.synops.items()},
        }
        margins = sorted(self.exits)
        right = [100 * (self.exits[m][0] == self.labels).mean() for m in margins]
        named["early_exit_margin"] = np.array(margins)
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
