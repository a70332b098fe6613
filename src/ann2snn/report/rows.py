"""The numbers of the report: rows for machines, and the table of best results."""

from ann2snn.records import Json
from ann2snn.report.reading import Point, Results, Study

# 45 nm CMOS, 32-bit floating point (Horowitz 2014): arithmetic only, no memory, no leakage.
PICOJOULES_MAC = 4.6
PICOJOULES_ADD = 0.9


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
    }


def energy_ratio(point: Point) -> float:
    """The SNN's energy over the ANN's, by arithmetic alone.

    SNN: synaptic operations as additions, and a first layer with analog input as
    multiply-accumulates, once. ANN: all its multiply-accumulates.
    """
    found = point.metrics
    spiking = (
        PICOJOULES_ADD * found["synops_per_image"]
        + PICOJOULES_MAC * found.get("first_layer_macs", 0)
    )  # fmt: skip
    return float(spiking / (PICOJOULES_MAC * found["macs_per_image"]))
