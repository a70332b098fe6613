"""The results that README opens with: the ablation beside the paper, and the best method per
network."""

from pathlib import Path
from typing import Any

from ann2snn.report.findings import environment
from ann2snn.report.markdown import ann_link
from ann2snn.report.published import is_papers_network, papers_data, published
from ann2snn.report.results import Point, Study, read_results
from ann2snn.report.tables import bars, names

WAY = "artifacts"  # from README to the records


def readme_tables(artifacts: Path) -> str:
    """Both tables as Markdown, with links that hold in the project's folder.

    Raises:
        FileNotFoundError: there are no results.
    """
    results = read_results(artifacts)
    tables: Any = (
        environment().get_template("tables.md").make_module(names(WAY) | {"papers": _papers})
    )
    texts = []
    for study in [study for study in results.of_kind("ablation") if bars(study)][:1]:
        first = study.points[0]
        key = f"`{first.simulation.parents['ann'][:10]}`"
        trained = ann_link(results, first, key, WAY)
        ann = published("ablation")["ann"]
        texts += [tables.bars_of_figure_2(study, bars(study), ann, trained)]
        texts += [f"{study.extent[:1].upper()}{study.extent[1:]}."]
    return "\n\n".join(text.strip() for text in (*texts, tables.best_methods(results.best())))


def _papers(study: Study, point: Point) -> str:
    """The paper's SNN on this data set: of the same network, else its best of any."""
    if is_papers_network(point.simulation.settings, study.dataset):
        full = published("ablation")["percentile-99.9"]
        return f"{full.words}, original {full.dataset}"
    best = published("best").get(f"{papers_data(study.dataset)}: best SNN")
    return f"{best.words}, another network" if best else ""
