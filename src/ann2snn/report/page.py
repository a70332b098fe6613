"""`report.md`: the best results, then every study with its finding, figures and tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ann2snn.report.chart import Chart
from ann2snn.report.few_steps_tables import after_few_steps
from ann2snn.report.findings import Finding, environment
from ann2snn.report.published import papers_data
from ann2snn.report.results import Results, Study, chosen_point
from ann2snn.report.tables import Tables, names

# The conversion's toggles that a study names where all its points share them.
NAMED_TOGGLES = ("input", "reset", "normalization", "percentile", "pooling", "output",
                 "initial_potential")  # fmt: skip


@dataclass(frozen=True)
class Section:
    """One section of the page; without a study it is that of the best results."""

    heading: str
    finding: Finding | None
    study: Study | None = None
    charts: Sequence[Chart] = ()
    network: str = ""
    source: str = ""
    shared: str = ""

    @property
    def anchor(self) -> str:
        """The heading as GitHub's links name it."""
        return re.sub(r"[^\w\- ]", "", self.heading.lower()).replace(" ", "-")


def report_page(
    results: Results, charts: Sequence[Chart], found: Mapping[str, Finding], artifacts: str
) -> str:
    """The page; `artifacts` is the way from the report's folder to the records."""
    sections = [Section("Best results", found.get("best-results"))]
    for study in results.studies:
        manifest = results.manifests.get(study.dataset, {})
        sections.append(
            Section(
                heading=f"{study.dataset}: {study.title}",
                finding=found.get(study.name),
                study=study,
                charts=_ordered(study, charts),
                network=study.points[0].simulation.description.get("network", study.network),
                source=manifest.get("source", ""),
                shared=_shared_toggles(study),
            )
        )
    shown = results.full_methods()
    text = (
        environment()
        .get_template("page.md")
        .render(
            **names(artifacts),
            sections=sections,
            shown=shown,
            tables=Tables(results, artifacts),
            after_few_steps=after_few_steps,
            artifacts=artifacts,
            chosen=chosen_point,
            comparable=any(papers_data(study.dataset) for study, _ in shown),
        )
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _ordered(study: Study, charts: Sequence[Chart]) -> list[Chart]:
    """The study's charts, first the one that bears its name alone."""
    own = [chart for chart in charts if chart.study == study.name]
    return sorted(own, key=lambda chart: chart.name != study.name)


def _shared_toggles(study: Study) -> str:
    """The toggles of the conversion that all points share, in the words of the configuration; the
    percentile where all points have one."""
    found = {}
    for name in NAMED_TOGGLES:
        values = [point.toggles.get(name) for point in study.points]
        if values[0] is not None and values.count(values[0]) == len(values):
            found[name] = values[0]
    if found.get("normalization") not in ("percentile", "channel"):
        found.pop("percentile", None)
    return " ".join(f"{name}={value}" for name, value in found.items())
