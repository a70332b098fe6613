"""The tables that README opens with: the ablation beside the paper, and the best results."""

from pathlib import Path

from ann2snn.report.markdown import ann_link, interval, run_link, step_or_never, table
from ann2snn.report.published import is_papers_network, papers_bar, published
from ann2snn.report.results import Point, Results, Study, read_results


def opening_tables(artifacts: Path) -> str:
    """Both tables as Markdown, with links that hold in the project's folder.

    Raises:
        FileNotFoundError: there are no results.
    """
    results = read_results(artifacts)
    return "\n".join([*_ablation(results), *_best(results)])


def _ablation(results: Results) -> list[str]:
    for study in results.of_kind("ablation"):
        bars = {
            point.name: papers_bar(point.simulation.settings, study.dataset)
            for point in study.points
        }
        if not all(bars.values()):
            continue
        ann = study.points[0].metrics["ann_accuracy"]
        theirs = published("ablation")["ann"]
        key = study.points[0].simulation.parents["ann"]
        trained = ann_link(results, study.points[0], f"`{key[:10]}`", "artifacts")
        rows = [["ANN", f"{ann:.2f}", theirs.words, trained]]
        for point in study.points:
            bar = bars[point.name]
            assert bar is not None
            found = f"{point.metrics['snn_accuracy']:.2f}"
            rows.append([f"SNN: {point.label}", found, bar.words, run_link(point, "artifacts")])
        columns = ("accuracy, %", study.dataset, "the paper, original CIFAR-10", "run")
        extent = f"{study.extent[:1].upper()}{study.extent[1:]}."
        return [*table(columns, rows), "", extent, ""]
    return []


def _best(results: Results) -> list[str]:
    rows = []
    for study, point in results.best():
        found = point.metrics
        late = found.get("snn_accuracy_last50")
        rows.append(
            [
                study.dataset,
                f"{found['images']:,}",
                f"{found['ann_accuracy']:.2f}",
                f"**{found['snn_accuracy']:.2f}**",
                interval(found["interval_low"], found["interval_high"]),
                "" if late is None else f"{late:.2f}",
                step_or_never(found["steps_to_99"]),
                _papers_best(study, point),
                run_link(point, "artifacts"),
            ]
        )
    columns = ("best results", "images", "ANN", "SNN", "95 % interval", "last 50 steps",
               "steps to 99 % of ANN", "the paper's SNN", "run")  # fmt: skip
    return list(table(columns, rows))


def _papers_best(study: Study, point: Point) -> str:
    """The paper's SNN on this data set: of the same network, or of one with as many layers."""
    if is_papers_network(point.simulation.settings, study.dataset):
        return f"{published('ablation')['percentile-99.9'].words}, original CIFAR-10"
    if study.dataset == "MNIST":
        return published("best")["MNIST: best SNN"].words
    return ""
