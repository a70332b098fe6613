"""The numbers of a run after few steps, from its curves: a run of 32 steps has those of 4, too."""

from ann2snn.numerics.intervals import wilson_interval
from ann2snn.numerics.steps_to_level import lasting_step_at
from ann2snn.records import Json
from ann2snn.report.results import OUTPUT_LABELS, Point, Study
from ann2snn.report.rows import costs, result_row

FEW = (4, 6, 8, 16, 32)
KIND = "few-steps"
# Numbers of the last step alone, which no curve holds for the steps before it.
OF_THE_END = ("agreement", "chance", "undecided", "snn_accuracy_last50", "mean_rate", "at_99",
              "pool_operations_per_image", "early_exit", "outputs", "first_steps")  # fmt: skip


def shown_steps(point: Point) -> tuple[int, ...]:
    """The few steps at which a point has a number: those of its run, or, where the conversion is
    made for a number of steps, that number alone."""
    steps, made_for = point.metrics["steps"], point.toggles.get("for_steps", 0)
    return tuple(t for t in FEW if t <= steps and made_for in (0, t))


def rows_by_step(study: Study, point: Point) -> list[Json]:
    """A row of `results.json` for each of the point's few steps before its last."""
    return [row_at(study, point, t) for t in shown_steps(point) if t < point.metrics["steps"]]


def row_at(study: Study, point: Point, steps: int) -> Json:
    """The row of a point after `steps` steps of its run; what only the end has is null."""
    whole, curves = result_row(study, point), point.simulation.curves
    if steps == point.metrics["steps"]:
        return whole
    accuracy = curves["accuracy"][steps - 1]
    return {
        **whole,
        **dict.fromkeys(OF_THE_END),
        "steps": steps,
        "snn_accuracy": accuracy,
        "interval": list(wilson_interval(accuracy / 100, whole["images"])),
        "steps_to_99": lasting_step_at(curves["accuracy"][:steps], 0.99 * whole["ann_accuracy"]),
        **costs(point, steps),
        **{f"accuracy_{name}": curves[f"accuracy_{name}"][steps - 1] for name in OUTPUT_LABELS},
    }
