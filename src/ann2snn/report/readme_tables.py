"""The results that README opens with: the ablation beside the paper, and the best method per
network."""

from pathlib import Path

from ann2snn.report.markdown import (
    ann_link,
    hundredths,
    interval_of,
    run_link,
    step_or_never,
    table,
)
from ann2snn.report.published import is_papers_network, papers_data, published
from ann2snn.report.results import Point, Results, Study, read_results
from ann2snn.report.tables import bars

ARTIFACTS = "artifacts"  # the way from README to the records


def readme_tables(artifacts: Path) -> str:
    """Both tables as Markdown, with links that hold in the project's folder.

    Raises:
        FileNotFoundError: there are no results.
    """
    results = read_results(artifacts)
    compared = [study for study in results.of_kind("ablation") if bars(study)]
    return "\n\n".join([*(_ablation(results, study) for study in compared[:1]), _best(results)])


def _ablation(results: Results, study: Study) -> str:
    ann, first = published("ablation")["ann"], study.points[0]
    key = first.simulation.parents["ann"]
    trained = ann_link(results, first, f"`{key[:10]}`", ARTIFACTS)
    rows = [("ANN", hundredths(first.metrics["ann_accuracy"]), ann.words, trained)]
    rows += [
        (
            f"SNN: {point.label}", hundredths(point.metrics["snn_accuracy"]), bar.words,
            run_link(point, ARTIFACTS),
        )
        for point, bar in bars(study)
    ]  # fmt: skip
    columns = ("accuracy, %", study.dataset, f"the paper, original {ann.dataset}", "run")
    return f"{table(columns, rows)}\n\n{study.extent[:1].upper()}{study.extent[1:]}."


def _best(results: Results) -> str:
    rows = [
        (
            study.dataset, hundredths(point.metrics["ann_accuracy"]),
            f"**{hundredths(point.metrics['snn_accuracy'])}**", interval_of(point),
            step_or_never(point.metrics["steps_to_99"]), _papers(study, point),
            run_link(point, ARTIFACTS),
        )
        for study, point in results.best()
    ]  # fmt: skip
    columns = ("best results", "ANN", "SNN", "95 % interval", "steps to 99 % of ANN",
               "the paper's SNN", "run")  # fmt: skip
    return table(columns, rows)


def _papers(study: Study, point: Point) -> str:
    """The paper's SNN on this data set: of the same network, else its best of any."""
    if is_papers_network(point.simulation.settings, study.dataset):
        full = published("ablation")["percentile-99.9"]
        return f"{full.words}, original {full.dataset}"
    best = published("best").get(f"{papers_data(study.dataset)}: best SNN")
    return f"{best.words}, another network" if best else ""
