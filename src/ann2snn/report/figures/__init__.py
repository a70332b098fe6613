"""Every figure of the report: each is one row of `FIGURES`, in a file of its own here."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from ann2snn.report.chart import Chart
from ann2snn.report.results import Results, Study
from ann2snn.tables import Table

EVERY = ("every kind",)
OTHERS = ("the kinds that no figure names",)


@dataclass(frozen=True)
class StudyFigure:
    """`kinds` are the kinds of study that it draws, `EVERY` or `OTHERS`; `chart(results, study)`
    is its chart of such a study, None where the study lacks what the figure shows."""

    name: str
    kinds: tuple[str, ...]
    chart: Callable[[Results, Study], Chart | None]

    def draws(self, kind: str) -> bool:
        """Whether studies of this kind are drawn; a kind that no figure names, by the general
        one."""
        if self.kinds == OTHERS:
            return not any(kind in figure.kinds for figure in FIGURES.values())
        return self.kinds == EVERY or kind in self.kinds


FIGURES: Table[StudyFigure] = Table("figure", "ann2snn.report.figures")


def all_charts(results: Results) -> list[Chart]:
    """The charts of all figures for which `results` hold the data.

    Raises:
        ValueError: two charts have one name, or a file of figures adds none.
    """
    homes = {figure.chart.__module__.rpartition(".")[2] for figure in FIGURES.values()}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in homes:
            raise ValueError(f"figures/{module.name}.py adds no row to FIGURES")
    charts: dict[str, Chart] = {}
    drawn_by: dict[str, str] = {}
    for figure in FIGURES.values():
        for study in results.studies:
            chart = figure.chart(results, study) if figure.draws(study.kind) else None
            if chart is None:
                continue
            if chart.name in charts:
                raise ValueError(
                    f"the figures {drawn_by[chart.name]} and {figure.name} both draw a chart named"
                    f" {chart.name}, and its files are called so"
                )
            charts[chart.name], drawn_by[chart.name] = chart, figure.name
    return list(charts.values())
