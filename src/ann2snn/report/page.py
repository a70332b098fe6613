"""`report.md`: the best results, then every study with figure, table and published numbers."""

from collections.abc import Iterator, Sequence

from ann2snn.report.chart import Chart
from ann2snn.report.figures.ablation import papers_bar
from ann2snn.report.figures.architecture import groups, papers_network
from ann2snn.report.intervals import first_step_at
from ann2snn.report.published import curve_of, is_papers_network, published, published_curves
from ann2snn.report.reading import Point, Results, Study
from ann2snn.report.rows import energy_ratio
from ann2snn.report.verdict import slowed_by_outliers, verdict

LEVEL = 85.0  # percent right: how fast a percentile is, as the paper's figure 3 shows it
FALLBACK = 0.97  # of the ANN's accuracy, where the paper's level says nothing


def report_page(results: Results, charts: Sequence[Chart], artifacts: str) -> str:
    """The page; `artifacts` is the way from the report's folder to the records."""
    sections = ["# Report", "\n".join(_opening()), "\n".join(_best(results, artifacts))]
    for study in results.studies:
        sections.append("\n".join(_study(results, study, charts, artifacts)))
    return "\n\n".join(sections) + "\n"


def run_link(point: Point, artifacts: str) -> str:
    """The first digits of a point's run key, as a link to its record."""
    return f"[`{point.simulation.key[:10]}`]({artifacts}/{point.path.as_posix()})"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _opening() -> Iterator[str]:
    yield (
        "Accuracies in percent of the images named, with 95 % Wilson intervals; time in steps;"
        " spikes of a mean neuron over the whole run; synaptic operations (a spike times its exact"
        " fan-out) and multiply-accumulates (MACs) per image. Every row names its run: the key"
        " leads to the record here, and finds the run in MLflow. All numbers:"
        " [results.json](results.json)."
    )


def _best(results: Results, artifacts: str) -> Iterator[str]:
    yield "## Best results\n"
    rows = [_best_row(study, point, artifacts) for study, point in results.best()]
    yield from _table(
        ("data set", "network", "images", "ANN", "SNN", "interval", "loss", "steps to 99 % of ANN",
         "spikes per neuron", "synaptic operations", "ANN's MACs", "energy SNN / ANN", "exact",
         "run"),
        rows,
    )  # fmt: skip
    yield (
        "\nEnergy counts arithmetic only: 4.6 pJ a MAC, 0.9 pJ an addition (45 nm, Horowitz 2014)."
        " Test images chose nothing: toggles were fixed beforehand, or by validation images (study"
        " of kind `selection`). `Answers of the ANN`: percent of images that both networks answer"
        " alike."
    )
    if any(study.dataset.startswith(("CIFAR-10", "MNIST")) for study, _ in results.best()):
        yield "\nPublished, for comparison (CIFAR-10 is the original there):\n"
        numbers = [*published("best").values(), *published("earlier").values()]
        yield from _table(
            ("result", "accuracy", "source"), [(n.name, n.words, n.source) for n in numbers]
        )


def _best_row(study: Study, point: Point, artifacts: str) -> list[str]:
    found = point.metrics
    return [
        study.dataset,
        point.simulation.description.get("network", study.network),
        f"{found['images']:,}",
        f"{found['ann_accuracy']:.2f}",
        f"**{found['snn_accuracy']:.2f}**",
        _interval(point),
        f"{found['ann_accuracy'] - found['snn_accuracy']:.2f}",
        _step(found["steps_to_99"]),
        f"{found['spikes_per_neuron']:.2f}",
        _large(found["synops_per_image"]),
        _large(found["macs_per_image"]),
        f"{energy_ratio(point):.2f}",
        "yes" if found["exact"] else "no",
        run_link(point, artifacts),
    ]


def _study(
    results: Results, study: Study, charts: Sequence[Chart], artifacts: str
) -> Iterator[str]:
    yield f"## {study.dataset}: {study.title}\n"
    network = study.points[0].simulation.description.get("network", study.network)
    origin = f"Study `{study.name}`, network `{network}`. {_capital(study.extent)}."
    yield origin + _data(results, study)
    for chart in charts:
        if chart.study == study.name:
            yield f"\n![{study.dataset}: {study.title}](figures/{chart.name}.png)\n"
            files = " · ".join(
                f"[{kind.upper()}](figures/{chart.name}.{kind})" for kind in ("svg", "csv")
            )
            yield f"{chart.caption} {files}"
    yield ""
    yield from _table(
        ("", "SNN", "interval", "last 50 steps", "ANN", "answers of the ANN",
         "steps to 99 % of ANN", "spikes per neuron", "synaptic operations", "exact", "run"),
        [_row(point, artifacts) for point in study.points],
    )  # fmt: skip
    if study.kind == "ablation":
        yield from _beside_the_paper(study, artifacts)
    if study.kind == "percentiles":
        yield from _speed(study, artifacts)
    if study.kind == "architecture":
        yield from _architectures(study, artifacts)


def _row(point: Point, artifacts: str) -> list[str]:
    found = point.metrics
    late = found.get("snn_accuracy_last50")
    return [
        point.label,
        f"{found['snn_accuracy']:.2f}",
        _interval(point),
        "" if late is None else f"{late:.2f}",
        f"{found['ann_accuracy']:.2f}",
        f"{found['agreement']:.2f}" if "agreement" in found else "",
        _step(found["steps_to_99"]),
        f"{found['spikes_per_neuron']:.2f}",
        _large(found["synops_per_image"]),
        "yes" if found["exact"] else "no",
        run_link(point, artifacts),
    ]


def _beside_the_paper(study: Study, artifacts: str) -> Iterator[str]:
    ann = published("ablation")["ann"]
    pairs = [(point, bar) for point in study.points if (bar := papers_bar(study, point))]
    if not pairs:
        return
    before = [None, *pairs[:-1]]
    rows = [
        (
            point.label,
            f"{point.metrics['snn_accuracy']:.2f}",
            bar.words,
            _gain(point.metrics["snn_accuracy"], last and last[0].metrics["snn_accuracy"]),
            _gain(bar.value, last and last[1].value),
            verdict(point, bar, ann),
            run_link(point, artifacts),
        )
        for last, (point, bar) in zip(before, pairs, strict=True)
    ]
    yield (
        f"\nBeside the paper (original CIFAR-10; ours is {study.dataset}): ANN"
        f" {study.points[0].metrics['ann_accuracy']:.2f}, the paper's {ann.words}.\n"
    )
    columns = ("", "this project", "the paper", "our gain", "its gain", "verdict", "run")
    yield from _table(columns, rows)
    if why := slowed_by_outliers(study.points[0]):
        yield f"\n{why}"


def _gain(value: float, before: float | None) -> str:
    return "" if before is None else f"{value - before:+.2f}"


def _speed(study: Study, artifacts: str) -> Iterator[str]:
    ann = study.points[0].metrics["ann_accuracy"]
    comparable = is_papers_network(study.points[0].simulation.settings, study.dataset)
    level = LEVEL if comparable and ann >= LEVEL else FALLBACK * ann
    authors = published_curves()
    rows = []
    for point in study.points:
        name = curve_of(point.toggles) if comparable else None
        theirs = first_step_at(authors[name], level) if name else None
        row = [point.label, _step(first_step_at(point.simulation.curves["accuracy"], level))]
        rows.append(
            [*row, *([_step(theirs) if name else ""] if comparable else []),
             run_link(point, artifacts)]
        )  # fmt: skip
    yield f"\nThe first step with {level:.1f} % right:\n"
    columns = ["", "this project"] + (["the authors' curve"] if comparable else []) + ["run"]
    yield from _table(columns, rows)


def _architectures(study: Study, artifacts: str) -> Iterator[str]:
    yield "\nMeans over training seeds (spread: smallest to largest):\n"
    rows = []
    for label, points in groups(study).items():
        theirs = papers_network(study, points[0])
        rows.append(
            [label, str(len(points)), _spread([p.metrics["ann_accuracy"] for p in points]),
             _spread([p.metrics["snn_accuracy"] for p in points]),
             theirs.words if theirs else "",
             ", ".join(run_link(point, artifacts) for point in points)]
        )  # fmt: skip
    yield from _table(
        ("", "seeds", "ANN", "SNN", "the paper's ANN (original CIFAR-10)", "runs"), rows
    )


def _spread(values: list[float]) -> str:
    mean = f"{sum(values) / len(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.2f} to {max(values):.2f})"


def _data(results: Results, study: Study) -> str:
    manifest = results.manifests.get(study.dataset)
    return f" Data: {study.dataset}, {manifest['source']}." if manifest else ""


def _interval(point: Point) -> str:
    return f"{point.metrics['interval_low']:.2f} to {point.metrics['interval_high']:.2f}"


def _step(step: int | None) -> str:
    return "never" if step is None else str(step)


def _large(value: float) -> str:
    """Operations with three significant digits: 20.4 M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
