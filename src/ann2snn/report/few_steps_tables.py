"""Tables of few steps: what each mechanism has after each number, and what others published."""

from ann2snn.report.few_steps import FEW, row_at, shown_steps
from ann2snn.report.markdown import hundredths, linked, table
from ann2snn.report.published import few_steps_rows, later_rows
from ann2snn.report.results import Study

UNVERIFIED = " (unverified)"
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


def published_few_steps() -> str:
    """Other methods' results, with what they count as a step."""
    rows = [
        (
            row["method"], f"{row['dataset']}, {row['network']}", row["ann"], row["steps"],
            row["accuracy"] + (UNVERIFIED if row["mark"] == "M" else ""), row["counts"],
            row["source"],
        )
        for row in few_steps_rows()
    ]  # fmt: skip
    return table(("method", "network", "ANN", "steps", "SNN", "made of", "source"), rows)


def later_paper() -> str:
    """The later paper's errors beside operations, from its authors' own notebooks."""
    rows = [
        (
            row["name"], row["ann_error"], row["ann_operations"], row["snn_error"],
            row["snn_operations"],
        )
        for row in later_rows()
    ]  # fmt: skip
    return table(("network", "ANN error, %", "GOps", "SNN error, %", "GOps"), rows)
