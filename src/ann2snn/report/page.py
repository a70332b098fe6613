"""`report.md`: the best results and their costs, then every study with figures and tables."""

from collections.abc import Iterator, Sequence

from ann2snn.numerics.intervals import paired_chance
from ann2snn.report.chart import Chart
from ann2snn.report.markdown import ann_link, interval, run_link, step_or_never, table, three_digits
from ann2snn.report.published import published
from ann2snn.report.results import Point, Results, Study
from ann2snn.report.rows import costs
from ann2snn.report.tables import tables_of

# The conversion's toggles that a study names where all its points share them.
NAMED_TOGGLES = ("input", "reset", "normalization", "percentile", "pooling", "output",
                 "initial_potential")  # fmt: skip


def report_page(results: Results, charts: Sequence[Chart], artifacts: str) -> str:
    """The page; `artifacts` is the way from the report's folder to the records."""
    sections = ["# Report", "\n".join(_opening()), "\n".join(_best(results, artifacts))]
    for study in results.studies:
        sections.append("\n".join(_study(results, study, charts, artifacts)))
    return "\n\n".join(sections) + "\n"


def _opening() -> Iterator[str]:
    yield (
        "Accuracies in percent of the images named, with 95 % Wilson intervals, which cover the"
        " choice of images and not that of a seed; time in steps; spikes of a mean neuron over the"
        " whole run. Answers of the ANN: percent of images that both networks answer alike. Every"
        " row names its run: the key leads to the record here, and finds the run in MLflow. The"
        " numbers of the runs: [results.json](results.json); of every figure: its CSV."
    )
    yield (
        "\nSynaptic operations, per image, count at every step and for every convolution and fully"
        " connected layer whose input changes with time the input units whose signal is not zero,"
        " each times its exact fan-out (borders counted): a spike, also behind max-pooling, costs"
        " its fan-out; behind average-pooling a window with at least one spike costs the window's"
        " fan-out once, however many spikes it holds. Biases cost nothing, pooling is counted"
        " apart, and layers that read an analog image are charged once, as multiply-accumulates"
        " (MACs)."
    )


def _best(results: Results, artifacts: str) -> Iterator[str]:
    yield "## Best results\n"
    shown = results.full_methods()
    yield from table(
        ("data set", "network", "method", "images", "ANN", "SNN", "interval", "last 50 steps",
         "ANN - last 50", "ANN - SNN", "chance, at most", "answers of the ANN",
         "steps to 99 % of ANN", "run"),
        [_best_row(results, study, point, artifacts) for study, point in shown],
    )  # fmt: skip
    yield (
        "\nChance, at most: how large ANN - SNN is by chance at 95 % in two networks with so many"
        " equal answers (paired, McNemar 1947)."
        + (
            " Beside the paper's method stands the point that validation images chose (studies of"
            " kind `selection`), with the gate `rise`, the default since its count is the largest"
            " of its inputs' at every step."
            if results.of_kind("selection")
            else ""
        )
    )
    yield "\nWhat they cost, at the step with 99 % of the ANN's accuracy and at the end:\n"
    rows = []
    for study, point in shown:
        reached = point.metrics["steps_to_99"]
        if reached is not None:
            rows.append(_cost_row(study, point, reached, artifacts))
        rows.append(_cost_row(study, point, None, artifacts))
    yield from table(
        ("data set", "method", "steps", "spikes per neuron", "synaptic operations",
         "additions of pooling", "ANN's MACs", "energy SNN / ANN", "exact", "run"),
        rows,
    )  # fmt: skip
    yield (
        "\nEnergy counts arithmetic only: 4.6 pJ a MAC, 0.9 pJ an addition (45 nm, Horowitz 2014):"
        " synaptic operations as additions, the first layer's MACs once where the input is analog;"
        " biases and pooling apart."
    )
    if any(study.dataset.startswith(("CIFAR-10", "MNIST")) for study, _ in shown):
        yield "\nPublished, for comparison (CIFAR-10 is the original there):\n"
        numbers = [*published("best").values(), *published("earlier").values()]
        yield from table(
            ("result", "accuracy", "source"), [(n.name, n.words, n.source) for n in numbers]
        )


def _best_row(results: Results, study: Study, point: Point, artifacts: str) -> list[str]:
    found = point.metrics
    network = point.simulation.description.get("network", study.network)
    agreement, late = found["agreement"], found.get("snn_accuracy_last50")
    return [
        study.dataset,
        ann_link(results, point, network, artifacts),
        _method(study, point),
        f"{found['images']:,}",
        f"{found['ann_accuracy']:.2f}",
        f"**{found['snn_accuracy']:.2f}**",
        _interval(point),
        "" if late is None else f"{late:.2f}",
        "" if late is None else f"{found['ann_accuracy'] - late:.2f}",
        f"{found['ann_accuracy'] - found['snn_accuracy']:.2f}",
        f"{paired_chance(agreement, found['images']):.2f}",
        f"{agreement:.2f}",
        step_or_never(found["steps_to_99"]),
        run_link(point, artifacts),
    ]


def _cost_row(study: Study, point: Point, step: int | None, artifacts: str) -> list[str]:
    found = point.metrics
    pooling = found.get("pool_operations_per_image") if step is None else None
    cost = costs(point, step)
    return [
        study.dataset,
        _method(study, point),
        str(found["steps"] if step is None else step),
        f"{cost['spikes_per_neuron']:.2f}",
        three_digits(cost["synops_per_image"]),
        "" if pooling is None else three_digits(pooling),
        three_digits(found["macs_per_image"]),
        f"{cost['energy_ratio']:.2f}",
        "yes" if found["exact"] else "no",
        run_link(point, artifacts),
    ]


def _method(study: Study, point: Point) -> str:
    return "the paper's" if study.kind == "ablation" else point.label


def _study(
    results: Results, study: Study, charts: Sequence[Chart], artifacts: str
) -> Iterator[str]:
    yield f"## {study.dataset}: {study.title}\n"
    network = study.points[0].simulation.description.get("network", study.network)
    origin = (
        f"Study `{study.name}`, network `{network}` ({_trained(results, study, artifacts)})."
        f" {_capital(study.extent)}."
    )
    yield origin + _data(results, study) + _shared_toggles(study)
    for chart in charts:
        if chart.study == study.name:
            yield f"\n![{study.dataset}: {study.title}](figures/{chart.name}.png)\n"
            files = " · ".join(
                f"[{kind.upper()}](figures/{chart.name}.{kind})" for kind in ("svg", "csv")
            )
            yield f"{chart.caption} {files}"
    yield ""
    undecided = any(point.metrics.get("undecided") for point in study.points)
    columns = ["", "SNN", "interval", "last 50 steps", "ANN", "answers of the ANN",
               *(["no answer"] if undecided else []), "steps to 99 % of ANN", "spikes per neuron",
               "synaptic operations", "exact", "run"]  # fmt: skip
    yield from table(columns, [_row(point, undecided, artifacts) for point in study.points])
    yield from tables_of(results, study, artifacts)


def _trained(results: Results, study: Study, artifacts: str) -> str:
    """The keys of the trained networks, in the order of the points that run them first."""
    first: dict[str, Point] = {}
    for point in study.points:
        first.setdefault(point.simulation.parents["ann"], point)
    links = [ann_link(results, point, f"`{key[:10]}`", artifacts) for key, point in first.items()]
    return ", ".join(links)


def _row(point: Point, undecided: bool, artifacts: str) -> list[str]:
    found = point.metrics
    late = found.get("snn_accuracy_last50")
    return [
        point.label,
        f"{found['snn_accuracy']:.2f}",
        _interval(point),
        "" if late is None else f"{late:.2f}",
        f"{found['ann_accuracy']:.2f}",
        f"{found['agreement']:.2f}",
        *([f"{found.get('undecided', 0.0):.2f}"] if undecided else []),
        step_or_never(found["steps_to_99"]),
        f"{found['spikes_per_neuron']:.2f}",
        three_digits(found["synops_per_image"]),
        "yes" if found["exact"] else "no",
        run_link(point, artifacts),
    ]


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
    words = " ".join(f"{name}={value}" for name, value in found.items())
    return f" All points: `{words}`." if found else ""


def _data(results: Results, study: Study) -> str:
    manifest = results.manifests.get(study.dataset)
    return f" Data: {study.dataset}, {manifest['source']}." if manifest else ""


def _interval(point: Point) -> str:
    return interval(point.metrics["interval_low"], point.metrics["interval_high"])


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
