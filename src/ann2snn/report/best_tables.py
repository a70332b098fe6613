"""The tables of the best results on the page, of at most seven columns each."""

from dataclasses import dataclass

from ann2snn.numerics.intervals import paired_chance
from ann2snn.report.markdown import (
    hundredths,
    interval_of,
    linked,
    run_link,
    step_or_never,
    table,
    three_digits,
    yes_or_no,
)
from ann2snn.report.published import papers_data, published
from ann2snn.report.results import Point, Study
from ann2snn.report.rows import LAST, costs


@dataclass(frozen=True)
class BestTables:
    """Tables of the methods `shown`; `artifacts` is the way from the page to the records."""

    shown: list[tuple[Study, Point]]
    artifacts: str

    def table(self) -> str:
        return table(
            ("data set", "method", "ANN", "SNN", "interval", "steps to 99 %", "run"),
            [
                (
                    study.dataset, method(study, point), hundredths(point.metrics["ann_accuracy"]),
                    f"**{hundredths(point.metrics['snn_accuracy'])}**", interval_of(point),
                    step_or_never(point.metrics["steps_to_99"]), run_link(point, self.artifacts),
                )
                for study, point in self.shown
            ],
        )  # fmt: skip

    def certainty(self) -> str:
        rows = []
        for study, point in self.shown:
            found = point.metrics
            late = found.get("snn_accuracy_last50")
            rows.append(
                (
                    linked(point, f"{study.dataset}, {method(study, point)}", self.artifacts),
                    f"{found['images']:,}",
                    hundredths(found["ann_accuracy"] - found["snn_accuracy"]),
                    hundredths(paired_chance(found["agreement"], found["images"])),
                    hundredths(late),
                    hundredths(None if late is None else found["ann_accuracy"] - late),
                    hundredths(found["agreement"]),
                )
            )
        return table(
            ("", "images", "ANN - SNN", "chance, at most", f"last {LAST}", f"ANN - last {LAST}",
             "answers of the ANN"),
            rows,
        )  # fmt: skip

    def costs(self) -> str:
        rows = []
        for study, point in self.shown:
            reached = point.metrics["steps_to_99"]
            for step in (reached, None) if reached is not None else (None,):
                cost = costs(point, step)
                rows.append(
                    (
                        study.dataset, method(study, point),
                        str(point.metrics["steps"] if step is None else step),
                        hundredths(cost["spikes_per_neuron"]),
                        three_digits(cost["synops_per_image"]),
                        hundredths(cost["energy_ratio"]), run_link(point, self.artifacts),
                    )
                )  # fmt: skip
        return table(
            ("data set", "method", "steps", "spikes per neuron", "synaptic operations",
             "energy SNN / ANN", "run"),
            rows,
        )  # fmt: skip

    def operations(self) -> str:
        rows = []
        for study, point in self.shown:
            pooling = point.metrics.get("pool_operations_per_image")
            rows.append(
                (
                    study.dataset, method(study, point),
                    three_digits(point.metrics["macs_per_image"]),
                    "" if pooling is None else three_digits(pooling),
                    yes_or_no(point.metrics["exact"]), run_link(point, self.artifacts),
                )
            )  # fmt: skip
        columns = ("data set", "method", "ANN's MACs", "additions of pooling", "exact",
                   "run")  # fmt: skip
        return table(columns, rows)

    def has_published(self) -> bool:
        """Whether a best result is on a data set that the published numbers are of."""
        return any(papers_data(study.dataset) for study, _ in self.shown)

    def published(self) -> str:
        numbers = [*published("best").values(), *published("earlier").values()]
        rows = [(number.name, number.words, number.source) for number in numbers]
        return table(("result", "accuracy", "source"), rows)


def method(study: Study, point: Point) -> str:
    return "the paper's" if study.kind == "ablation" else point.label
