"""What a kind of study says beside its figures and its table of points."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from ann2snn.numerics.steps_to_level import first_step_at
from ann2snn.report import architecture_reasons, bar_reasons
from ann2snn.report.markdown import interval, run_link, spread, step_or_never, table
from ann2snn.report.published import (
    curve_of,
    is_full_method,
    is_papers_network,
    papers_bar,
    papers_network,
    published,
    published_curves,
)
from ann2snn.report.results import READOUTS, Point, Results, Study
from ann2snn.report.rows import LAST, LEVEL, START, readout_rows, speed_level
from ann2snn.report.verdict import verdict


def tables_of(results: Results, study: Study, artifacts: str) -> Iterator[str]:
    """The lines of what the study's kind adds to the page; nothing for other kinds."""
    kinds: dict[str, Callable[[Results, Study, str], Iterator[str]]] = {
        "ablation": _ablation,
        "percentiles": _percentiles,
        "architecture": _architectures,
        "readouts": _readouts,
        "selection": _selection,
    }
    if study.kind in kinds:
        yield from kinds[study.kind](results, study, artifacts)


def _ablation(results: Results, study: Study, artifacts: str) -> Iterator[str]:
    if gains := bar_reasons.from_bar_to_bar(study.points):
        yield f"\n{gains}"
    ann = published("ablation")["ann"]
    pairs = [
        (point, bar)
        for point in study.points
        if (bar := papers_bar(point.simulation.settings, study.dataset))
    ]
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
            step_or_never(first_step_at(point.simulation.curves["accuracy"], bar.value)),
            verdict(point, bar, ann),
            run_link(point, artifacts),
        )
        for last, (point, bar) in zip(before, pairs, strict=True)
    ]
    yield (
        f"\nBeside the paper (original CIFAR-10; ours is {study.dataset}): ANN"
        f" {study.points[0].metrics['ann_accuracy']:.2f}, the paper's {ann.words}.\n"
    )
    yield from table(
        ("", "this project", "the paper", "our gain", "its gain", "our step at its bar", "verdict",
         "run"),
        rows,
    )  # fmt: skip
    for reason in bar_reasons.reasons(results, study, LEVEL):
        yield f"\n{reason}"


def _gain(value: float, before: float | None) -> str:
    return "" if before is None else f"{value - before:+.2f}"


def _percentiles(_: Results, study: Study, artifacts: str) -> Iterator[str]:
    comparable = is_papers_network(study.points[0].simulation.settings, study.dataset)
    level = speed_level(study, study.points[0])
    authors = published_curves()
    rows = []
    for point in study.points:
        name = curve_of(point.toggles) if comparable else None
        row = [point.label]
        for height in (START, level):
            row.append(step_or_never(_reached(point, height)))
            if comparable:
                theirs = first_step_at(authors[name], height) if name else None
                row.append(step_or_never(theirs) if name else "")
        rows.append([*row, run_link(point, artifacts)])
    columns = [""]
    for height in (START, level):
        columns.append(f"{height:.1f} % right")
        if comparable:
            columns.append("the authors' curve")
    yield "\nThe first step with so many right:\n"
    yield from table([*columns, "run"], rows)
    yield f"\n{_shape(study, level)}"


def _reached(point: Point, level: float) -> int | None:
    return first_step_at(point.simulation.curves["accuracy"], level)


def _shape(study: Study, level: float) -> str:
    """Whether the curves have the paper's shape: the lowest percentile starts first and ends last,
    and the level comes the later, the higher the percentile."""
    swept = [
        point
        for point in study.points
        if is_full_method(point.toggles) and point.toggles["normalization"] == "percentile"
    ]
    swept.sort(key=lambda point: float(point.toggles["percentile"]))
    if len(swept) < 3:
        return ""
    lowest, others = swept[0], swept[1:]
    starts = [_reached(point, START) for point in swept]
    ends = [point.metrics["snn_accuracy"] for point in swept]
    first = starts[0] is not None and all(s is None or starts[0] < s for s in starts[1:])
    tied = starts[0] is not None and all(s is None or starts[0] <= s for s in starts[1:])
    times = [_reached(point, level) for point in others]
    reached = [time for time in times if time is not None]
    ordered = len(reached) == len(times) and all(a < b for a, b in pairwise(reached))
    return (
        f"The paper's shape: the lowest percentile, {lowest.toggles['percentile']:g}, starts"
        f" fastest: {'yes' if first else 'tied' if tied else 'no'};"
        f" ends lowest of the percentiles: {'yes' if ends[0] < min(ends[1:]) else 'no'};"
        f" {level:.1f} % comes later with every higher one: {'yes' if ordered else 'no'}."
    )


def _architectures(results: Results, study: Study, artifacts: str) -> Iterator[str]:
    yield "\nMeans over training seeds (smallest to largest):\n"
    rows = []
    for label, points in study.variants.items():
        theirs = papers_network(points[0].simulation.settings, study.dataset)
        rows.append(
            [
                label,
                str(len(points)),
                spread([point.metrics["ann_accuracy"] for point in points]),
                spread([point.metrics["snn_accuracy"] for point in points]),
                spread([point.metrics["ann_accuracy"] - point.metrics["snn_accuracy"]
                        for point in points]),
                _spread_by_count(points),
                theirs.words if theirs else "",
                ", ".join(run_link(point, artifacts) for point in points),
            ]
        )  # fmt: skip
    yield from table(
        ("", "seeds", "ANN", "SNN", "loss", f"SNN, {READOUTS['count']}",
         "the paper's ANN (original CIFAR-10)", "runs"),
        rows,
    )  # fmt: skip
    for reason in architecture_reasons.reasons(results, study):
        yield f"\n{reason}"


def _spread_by_count(points: list[Point]) -> str:
    found = [point.metrics for point in points]
    known = all("accuracy_count" in metrics for metrics in found)
    return spread([metrics["accuracy_count"] for metrics in found]) if known else ""


def _readouts(_: Results, study: Study, artifacts: str) -> Iterator[str]:
    yield "\nBy read-out:\n"
    rows = [
        [
            READOUTS[name] if len(study.points) == 1 else f"{point.label}, {READOUTS[name]}",
            f"{found['snn_accuracy']:.2f}",
            interval(*found["interval"]),
            f"{found['snn_accuracy_last50']:.2f}",
            step_or_never(found["steps_to_99"]),
            run_link(point, artifacts),
        ]
        for point in study.points
        for name, found in readout_rows(point).items()
    ]
    yield from table(
        ("", "SNN", "interval", f"last {LAST} steps", "steps to 99 % of ANN", "run"), rows
    )


def _selection(results: Results, study: Study, artifacts: str) -> Iterator[str]:
    chosen = chosen_point(study)
    yield (
        "\nRule: the point whose answers are most often those of the analog network, the first of"
        f" equals: {chosen.label} ({chosen.metrics['agreement']:.2f} %,"
        f" {run_link(chosen, artifacts)})."
    )
    for other in results.of_kind("best"):
        if other.network == study.network:
            used = same_toggles(other.points[-1], chosen)
            yield f"`{other.name}` {'takes it' if used else 'takes another'}."
    if chosen.simulation.settings["ann"].get("final", False):
        yield (
            "The analog network has been trained on these images too, so they judge the conversion"
            " and not the network."
        )


def chosen_point(study: Study) -> Point:
    """The point of a selection whose answers are most often the ANN's; the first of equals."""
    return max(study.points, key=lambda point: float(point.metrics["agreement"]))


def same_toggles(one: Point, other: Point) -> bool:
    """Whether two points have the same conversion."""
    return one.toggles == other.toggles
