"""Tables of a study that compare its points with one another or with the paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from ann2snn.numerics.steps_to_level import first_step_at
from ann2snn.records import Json
from ann2snn.report.lookup import late_rise
from ann2snn.report.markdown import (
    ann_link,
    hundredths,
    linked,
    run_link,
    spread,
    step_or_never,
    table,
)
from ann2snn.report.published import (
    Published,
    few_steps_rows,
    is_papers_network,
    later_rows,
    papers_bar,
    papers_curve,
    papers_network,
    published,
)
from ann2snn.report.results import OUTPUT_LABELS, Point, Results, Study, saturating_shares
from ann2snn.report.rows import LAST, START, result_row, speed_level
from ann2snn.report.scale_factors import pair_of_scales, scale_factors


@dataclass(frozen=True)
class Tables:
    """Tables as Markdown; `artifacts` is the way from the page to the records."""

    results: Results
    artifacts: str

    def beside_the_paper(self, study: Study) -> str:
        """Bars and gains from bar to bar; empty where the paper has none for this network."""
        pairs = bars(study)
        gains: list[tuple[str, str]] = [("", "")] + [
            (
                f"{point.metrics['snn_accuracy'] - before.metrics['snn_accuracy']:+.2f}",
                f"{bar.value - last.value:+.2f}",
            )
            for (before, last), (point, bar) in pairwise(pairs)
        ]
        rows = [
            (
                point.label, hundredths(point.metrics["snn_accuracy"]), bar.words,
                f"{point.metrics['snn_accuracy'] - bar.value:+.2f}", *gain, self._run(point),
            )
            for (point, bar), gain in zip(pairs, gains, strict=False)
        ]  # fmt: skip
        columns = ("", "this project", "the paper", "difference", "our gain", "its gain", "run")
        return table(columns, rows) if rows else ""

    def differences(self, study: Study) -> str:
        """Losses, late rises, rates and saturation beside the paper's, as far as published."""
        ann = published("ablation")["ann"].value
        rows = []
        for point, bar in bars(study):
            found = point.metrics
            loss = found["ann_accuracy"] - found["snn_accuracy"]
            curve = point.simulation.curves["accuracy"]
            theirs = papers_curve(point.simulation.settings, study.dataset)
            rises = [
                late_rise(found) for found in (curve, theirs) if len(found) == len(curve) > LAST
            ]
            rows.append(
                (
                    linked(point, point.label, self.artifacts),
                    step_or_never(first_step_at(curve, bar.value)),
                    f"{loss:.2f} / {ann - bar.value:.2f}",
                    " / ".join(f"{rise:+.2f}" for rise in rises),
                    f"{found['mean_rate']:.4f}" if "mean_rate" in found else "",
                    f"{100 * max(saturating_shares(point).values(), default=0.0):.2f} %",
                    hundredths(found.get("undecided", 0.0)),
                )
            )
        return table(
            ("", "first step at the paper's bar", "loss / the paper's",
             f"rise in the last {LAST} steps / the authors' curve", "mean rate", "saturating",
             "no answer"),
            rows,
        )  # fmt: skip

    def scale_factors(self, study: Study) -> str:
        """By layer, for a study with the maximum beside the 99.9th percentile; else empty."""
        pair = pair_of_scales(study.points)
        factors = scale_factors(*pair) if pair and study.kind == "ablation" else {}
        rows = [
            (layer, f"{scale:.2f}", f"{spikes:.2f}") for layer, (scale, spikes) in factors.items()
        ]
        columns = ("layer", "scale falls, times", "spikes rise, times")
        return table(columns, rows) if rows else ""

    def first_steps(self, study: Study) -> str:
        first = study.points[0]
        compared = is_papers_network(first.simulation.settings, study.dataset)
        levels = (START, speed_level(study, first))
        rows = []
        for point in study.points:
            theirs = papers_curve(point.simulation.settings, study.dataset)
            row = [point.label]
            for level in levels:
                row.append(step_or_never(first_step_at(point.simulation.curves["accuracy"], level)))
                if compared:
                    row.append(step_or_never(first_step_at(theirs, level)) if theirs else "")
            rows.append((*row, self._run(point)))
        columns = [
            (f"{level:.1f} % right", "the authors' curve")[: 1 + compared] for level in levels
        ]
        return table(("", *sum(columns, ()), "run"), rows)

    def trainings(self, study: Study) -> str:
        """Means over training seeds by variant; of architectures beside the paper's ANN."""
        compared = study.kind == "architecture"
        rows = []
        for label, points in study.variants.items():
            theirs = papers_network(points[0].simulation.settings, study.dataset)
            found = [point.metrics for point in points]
            rows.append(
                (
                    label, str(len(points)), spread([m["ann_accuracy"] for m in found]),
                    spread([m["snn_accuracy"] for m in found]),
                    spread([m["ann_accuracy"] - m["snn_accuracy"] for m in found]),
                    *([theirs.words if theirs else ""] if compared else []),
                    ", ".join(map(self._run, points)),
                )
            )  # fmt: skip
        beside = ["the paper's ANN"] if compared else []
        return table(("", "seeds", "ANN", "SNN", "ANN - SNN", *beside, "runs"), rows)

    def changes(self, study: Study) -> str:
        """How the ANN changes from network to network, and the SNN read by the most spikes."""
        rows, before = [], None
        for label, points in study.variants.items():
            theirs = papers_network(points[0].simulation.settings, study.dataset)
            ann = fmean(point.metrics["ann_accuracy"] for point in points)
            change = ("", "")
            if before and theirs and theirs.name != before[1].name:
                change = f"{ann - before[0]:+.2f}", f"{theirs.value - before[1].value:+.2f}"
            counts = [point.metrics.get("accuracy_count") for point in points]
            known = [count for count in counts if count is not None]
            rows.append((label, *change, spread(known) if known else ""))
            before = (ann, theirs) if theirs else before
        columns = ("", "change of the ANN", "of the paper's", f"SNN, {OUTPUT_LABELS['count']}")
        return table(columns, rows)

    def trained(self, study: Study) -> str:
        """The keys of the trained networks, in the order of the points that run them first."""
        first: dict[str, Point] = {}
        for point in study.points:
            first.setdefault(point.simulation.parents["ann"], point)
        return ", ".join(
            ann_link(self.results, point, f"`{key[:10]}`", self.artifacts)
            for key, point in first.items()
        )

    def _run(self, point: Point) -> str:
        return run_link(point, self.artifacts)


def names(artifacts: str) -> Json:
    """All that the tables of `tables.md` can call; `artifacts` is the way to the records."""
    return {
        "row": result_row,
        "run": lambda point: run_link(point, artifacts),
        "linked": lambda point, words: linked(point, words, artifacts),
        "method": lambda study, point: "the paper's" if study.kind == "ablation" else point.label,
        "published": published,
        "few_steps_rows": few_steps_rows,
        "later_rows": later_rows,
        "labels": OUTPUT_LABELS,
        "last": LAST,
    }


def bars(study: Study) -> Sequence[tuple[Point, Published]]:
    """Points that the paper has a bar for, with the bar."""
    return [
        (point, bar)
        for point in study.points
        if (bar := papers_bar(point.simulation.settings, study.dataset))
    ]
