"""The tables that README opens with: the ablation beside the paper, and the best results."""

from pathlib import Path

from ann2snn.report.figures.ablation import papers_bar
from ann2snn.report.page import run_link
from ann2snn.report.published import published
from ann2snn.report.reading import Results, read_results


def opening_tables(artifacts: Path) -> str:
    """Both tables as Markdown, with links that hold in the project's folder.

    Raises:
        FileNotFoundError: there are no results.
    """
    results = read_results(artifacts)
    return "\n".join([*_ablation(results), *_best(results)])


def _ablation(results: Results) -> list[str]:
    for study in results.of_kind("ablation"):
        bars = {point.name: papers_bar(study, point) for point in study.points}
        if not all(bars.values()):
            continue
        ann = study.points[0].metrics["ann_accuracy"]
        theirs = published("ablation")["ann"]
        rows = [
            f"| accuracy, % | {study.dataset} | the paper, original CIFAR-10 | run |",
            "|---|---|---|---|",
            f"| ANN | {ann:.2f} | {theirs.words} | |",
        ]
        for point in study.points:
            bar = bars[point.name]
            assert bar is not None
            found = f"{point.metrics['snn_accuracy']:.2f}"
            rows.append(
                f"| SNN: {point.label} | {found} | {bar.words} | {run_link(point, 'artifacts')} |"
            )
        return [*rows, "", f"{study.extent[:1].upper()}{study.extent[1:]}.", ""]
    return []


def _best(results: Results) -> list[str]:
    rows = [
        "| best results | images | ANN | SNN | 95 % interval | steps to 99 % of ANN | run |",
        "|---|---|---|---|---|---|---|",
    ]
    for study, point in results.best():
        found = point.metrics
        reached = found["steps_to_99"]
        rows.append(
            f"| {study.dataset} | {found['images']:,} | {found['ann_accuracy']:.2f}"
            f" | **{found['snn_accuracy']:.2f}**"
            f" | {found['interval_low']:.2f} to {found['interval_high']:.2f}"
            f" | {'never' if reached is None else reached} | {run_link(point, 'artifacts')} |"
        )
    return rows
