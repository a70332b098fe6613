"""The numbers of the report: rows for machines, and what a run costs."""

from itertools import accumulate

from ann2snn.numerics.intervals import paired_chance, wilson_interval
from ann2snn.numerics.steps_to_level import first_step_at, lasting_step_at
from ann2snn.records import Json
from ann2snn.report.published import is_papers_network
from ann2snn.report.results import (
    OUTPUT_LABELS,
    Point,
    Results,
    Study,
    outliers,
    saturating_shares,
)

# 45 nm CMOS, 32-bit floating point (Horowitz 2014): arithmetic only, no memory, no leakage.
PICOJOULES_MAC = 4.6
PICOJOULES_ADD = 0.9

START = 50.0  # percent right: how fast a run starts
LEVEL = 85.0  # percent right: how fast it is, as the paper's figure 3 shows it
FALLBACK = 0.97  # of the ANN's accuracy, where the paper's level says nothing
LAST = 50  # steps whose mean is an accuracy at the end

# Metrics that a row holds under their own name beside those of every row.
FURTHER = ("snn_accuracy_last50", "agreement", "undecided", "accuracy_softmax",
           "accuracy_potential", "accuracy_count", "mean_rate", "pool_operations_per_image",
           "first_layer_macs")  # fmt: skip


def result_rows(results: Results) -> list[Json]:
    """A row for every point; columns named as everywhere, `part` says test or validation images.
    Points of few steps have one for each number of steps that is shown of them."""
    from ann2snn.report.few_steps import KIND, rows_by_step  # which takes its rows from here

    return [
        row
        for study in results.studies
        for point in study.points
        for row in (
            *(rows_by_step(study, point) if study.kind == KIND else ()),
            result_row(study, point),
        )
    ]


def result_row(study: Study, point: Point) -> Json:
    found = point.metrics
    reached = found["steps_to_99"]
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
        "steps_to_99": reached,
        "spikes_per_neuron": found["spikes_per_neuron"],
        "synops_per_image": found["synops_per_image"],
        "macs_per_image": found["macs_per_image"],
        "exact": found["exact"],
        "seed": point.simulation.settings["simulation"]["seed"],
        "run": point.simulation.key,
        **{name: found.get(name) for name in FURTHER},
        "snn_accuracy_last50": found.get("snn_accuracy_last50") if found["steps"] >= LAST else None,
        "energy_ratio": energy_ratio(point),
        "training_seed": point.simulation.settings["ann"]["seed"],
        "epochs": point.simulation.settings["ann"]["epochs"],
        "chance": paired_chance(found["agreement"], found["images"]),
        "first_steps": {
            f"{level:.1f}": first_step_at(point.simulation.curves["accuracy"], level)
            for level in (START, speed_level(study, point))
        },
        "at_99": None if reached is None else costs(point, reached),
        "outputs": output_rows(point),
        "early_exit": {
            name: point.simulation.curves.get(f"early_exit_{name}")
            for name in ("margin", "steps", "accuracy")
        },
        "saturating": saturating_shares(point),
        "outliers": {name: top / high for name, (top, high) in outliers(point).items()},
    }


def speed_level(study: Study, point: Point) -> float:
    """The share of right answers (percent) by whose first step a run's speed is measured."""
    ann = float(point.metrics["ann_accuracy"])
    comparable = is_papers_network(point.simulation.settings, study.dataset)
    return LEVEL if comparable and ann >= LEVEL else FALLBACK * ann


def costs(point: Point, step: int | None = None) -> Json:
    """Spikes, synaptic operations and energy of a run, of all steps or up to `step` (from 1)."""
    return {
        "spikes_per_neuron": spikes_until(point, step),
        "synops_per_image": synops_until(point, step),
        "energy_ratio": energy_ratio(point, step),
    }


def output_rows(point: Point) -> dict[str, Json]:
    """Accuracies of the run by each output that it has, by name."""
    images, ann = point.metrics["images"], point.metrics["ann_accuracy"]
    rows = {}
    for output in OUTPUT_LABELS:
        curve = point.simulation.curves.get(f"accuracy_{output}")
        if curve is not None:
            rows[output] = {
                "snn_accuracy": curve[-1],
                "interval": list(wilson_interval(curve[-1] / 100, images)),
                "snn_accuracy_last50": sum(curve[-LAST:]) / LAST if len(curve) >= LAST else None,
                "steps_to_99": lasting_step_at(curve, 0.99 * ann),
            }
    return rows


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
    """Synaptic operations per image, of all steps or up to `step` (from 1)."""
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
