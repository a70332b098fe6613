"""The table of few steps: what each mechanism has after each number of them."""

from ann2snn.report.few_steps import FEW, row_at, shown_steps
from ann2snn.report.markdown import hundredths, linked, table
from ann2snn.report.results import Study

ENERGY_AT = 8


def after_few_steps(study: Study, artifacts: str) -> str:
    """Accuracy by point and number of steps, and the energy over the ANN's after 8 of them."""
    rows = []
    for point in study.points:
        there = shown_steps(point)
        cells = [
            hundredths(row_at(study, point, t)["snn_accuracy"]) if t in there else "" for t in FEW
        ]
        energy = row_at(study, point, ENERGY_AT)["energy_ratio"] if ENERGY_AT in there else None
        rows.append(
            (linked(point, point.label, artifacts), *cells,
             "" if energy is None else hundredths(energy))
        )  # fmt: skip
    return table(("", *(f"T = {t}" for t in FEW), f"energy SNN / ANN, T = {ENERGY_AT}"), rows)
