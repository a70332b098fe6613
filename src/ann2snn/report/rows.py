"""The numbers of the report: rows for machines, and what a run costs."""

from itertools import accumulate

from ann2snn.records import Json
from ann2snn.report.reading import Point, Results, Study

# 45 nm CMOS, 32-bit floating point (Horowitz 2014): arithmetic only, no memory, no leakage.
PICOJOULES_MAC = 4.6
PICOJOULES_ADD = 0.9

# Metrics that a row holds under their own name beside those of every row.
FURTHER = ("snn_accuracy_last50", "agreement", "undecided", "accuracy_softmax",
           "accuracy_potential", "accuracy_count", "pool_operations_per_image",
           "first_layer_macs")  # fmt: skip


def result_rows(results: Results) -> list[Json]:
    """A row for every point; columns named as everywhere, `part` says test or validation images."""
    return [result_row(study, point) for study in results.studies for point in study.points]


def result_row(study: Study, point: Point) -> Json:
    found = point.metrics
    return {
        "study": study.name,
        "point": point.name,
        "network": study.network,
        "dataset": study.dataset,
        "part": point.part,
        "steps": found["steps"],
        "images": found["images"],
        "ann_accuracy": found["ann_accuracy"],
        "snn_accuracy": found["snn_accuracy"],
        "interval": [found["interval_low"], found["interval_high"]],
        "steps_to_99": found["steps_to_99"],
        "spikes_per_neuron": found["spikes_per_neuron"],
        "synops_per_image": found["synops_per_image"],
        "macs_per_image": found["macs_per_image"],
        "exact": found["exact"],
        "seed": point.simulation.settings["simulation"]["seed"],
        "run": point.simulation.key,
        **{name: found.get(name) for name in FURTHER},
        "energy_ratio": energy_ratio(point),
        "training_seed": point.simulation.settings["ann"]["seed"],
    }


def energy_ratio(point: Point, step: int | None = None) -> float:
    """The SNN's energy over the ANN's, by arithmetic alone, of all steps or up to `step`.

    SNN: synaptic operations as additions, and a first layer with analog input as
    multiply-accumulates, once. ANN: all its multiply-accumulates.
    """
    found = point.metrics
    spiking = (
        PICOJOULES_ADD * synops_until(point, step)
        + PICOJOULES_MAC * found.get("first_layer_macs", 0)
    )  # fmt: skip
    return float(spiking / (PICOJOULES_MAC * found["macs_per_image"]))


def synops_until(point: Point, step: int | None = None) -> float:
    """Synaptic operations an image, of all steps or up to `step` (from 1)."""
    if step is None:
        return float(point.metrics["synops_per_image"])
    return list(accumulate(point.simulation.curves["synops"]))[step - 1]


def spikes_until(point: Point, step: int | None = None) -> float:
    """Spikes of a mean neuron, of all steps or up to `step` (from 1)."""
    whole = float(point.metrics["spikes_per_neuron"])
    if step is None or not whole:
        return whole
    sums = list(accumulate(point.simulation.curves["spikes"]))
    return whole * sums[step - 1] / sums[-1]
