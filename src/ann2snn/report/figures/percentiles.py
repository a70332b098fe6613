"""Figure 3: the error at every step, for several percentiles and the two baselines."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ann2snn.report.chart import INK, QUIET, Cell, Chart, grid, new_figure, shade, stacked_labels
from ann2snn.report.intervals import wilson_interval
from ann2snn.report.published import curve_of, is_papers_network, published_curves
from ann2snn.report.reading import Point, Results, Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = ("study", "point", "step", "accuracy", "interval_low", "interval_high",
           "published_accuracy", "run")  # fmt: skip


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each study of kind `percentiles`."""
    for study in results.of_kind("percentiles"):
        behind = [_published_curve(study, point) for point in study.points]
        words = (
            "Error of the SNN at every step, on a logarithmic scale. Bands: 95 % Wilson intervals."
            " Dashed: the analog network."
        )
        if any(behind):
            words += " Thin: the authors' own curves, 500 images of the original CIFAR-10."
        yield Chart(
            study.name,
            study.name,
            words,
            COLUMNS,
            [
                row
                for point, curve in zip(study.points, behind, strict=True)
                for row in _rows(study, point, curve)
            ],
            lambda study=study, behind=behind: _draw(study, behind),  # type: ignore[misc]
        )


def _published_curve(study: Study, point: Point) -> list[float]:
    name = curve_of(point.toggles)
    comparable = is_papers_network(point.simulation.settings, study.dataset)
    return published_curves()[name] if comparable and name else []


def _rows(study: Study, point: Point, curve: list[float]) -> Iterator[list[Cell]]:
    for step, accuracy in enumerate(point.simulation.curves["accuracy"], 1):
        low, high = wilson_interval(accuracy, point.metrics["images"])
        theirs = curve[step - 1] if step <= len(curve) else None
        key = point.simulation.key[:12]
        yield [study.name, point.name, step, accuracy, low, high, theirs, key]


def _colours(study: Study) -> list[str]:
    """From bright (low percentile) to dark; the baselines, which are another method, grey."""
    full = [
        point.name
        for point in study.points
        if curve_of(point.toggles) not in ("default", "max_norm")
    ]
    return [
        shade(full.index(point.name), len(full)) if point.name in full else QUIET
        for point in study.points
    ]


def _draw(study: Study, behind: list[list[float]]) -> "Figure":
    evidence = study.extent
    if any(behind):
        evidence += ". Thin: the authors' curves, 500 images of the original CIFAR-10"
    figure = new_figure(f"{study.dataset}: error against time", evidence, height=4.6)
    axes = figure.add_axes((0.08, 0.115, 0.655, 0.73))
    images = min(point.metrics["images"] for point in study.points)
    floor = 50 / images
    labels = []
    for point, curve, colour in zip(study.points, behind, _colours(study), strict=True):
        accuracy = point.simulation.curves["accuracy"]
        steps = range(1, len(accuracy) + 1)
        bounds = [wilson_interval(value, point.metrics["images"]) for value in accuracy]
        axes.fill_between(
            steps,
            [max(100 - high, floor) for _, high in bounds],
            [max(100 - low, floor) for low, _ in bounds],
            color=colour, alpha=0.16, linewidth=0,
        )  # fmt: skip
        if curve:
            theirs = [max(100 - value, floor) for value in curve]
            axes.plot(range(1, len(theirs) + 1), theirs, color=colour, linewidth=0.7, alpha=0.8)
        errors = [max(100 - value, floor) for value in accuracy]
        axes.plot(steps, errors, color=colour, linewidth=1.7)
        labels.append((errors[-1], f"{point.label}: {100 - accuracy[-1]:.2f}", colour))
    ann_error = 100 - study.points[0].metrics["ann_accuracy"]
    axes.axhline(max(ann_error, floor), color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    labels.append((max(ann_error, floor), f"ANN: {ann_error:.2f}", INK))
    axes.set_yscale("log")
    axes.set_xlim(1, max(len(point.simulation.curves["accuracy"]) for point in study.points))
    lowest = min(place for place, _, _ in labels)
    axes.set_ylim(max(floor, 0.8 * lowest), 105)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if tick >= 0.8 * lowest]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_xlabel("time, steps")
    axes.set_ylabel("error of the SNN, %")
    grid(axes)
    stacked_labels(axes, labels)
    return figure
