"""Whether batch normalization in training leaves fewer outliers."""

from collections.abc import Iterator
from functools import partial

from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, ORANGE
from ann2snn.plots.drawing import grid, legend_under_heading, new_figure
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.figures import FIGURES, StudyFigure
from ann2snn.report.figures.activations import calibration_images
from ann2snn.report.results import Point, Results, Study, outliers

COLUMNS = ("study", "point", "label", "layer", "largest", "percentile_99.9", "ratio",
           "ann_accuracy", "run")  # fmt: skip
COLOURS = (BLUE, ORANGE)


def chart(results: Results, study: Study) -> Chart | None:
    rows = [row for point in study.points for row in _rows(study, point)]
    if not rows or len(study.points) < 2:
        return None
    return Chart(
        study.name,
        study.name,
        "The largest activation of each layer over the 99.9th percentile of its non-zero ones, on"
        " the calibration images: what a scale by the maximum loses in speed. The paper says that"
        f" batch normalization yields fewer extreme outliers; {_verdict(study)}."
        f" {_trainings(study)}",
        COLUMNS,
        rows,
        partial(_draw, study, calibration_images(results, study)),
    )


FIGURES.add(StudyFigure("batch-norm", ("batch-norm",), chart))


def _verdict(study: Study) -> str:
    """In how many layers the first point's ratio is smaller than the second's."""
    first, second = (outliers(point) for point in study.points[:2])
    shared = [name for name in first if name in second]
    smaller = sum(first[n][0] / first[n][1] < second[n][0] / second[n][1] for n in shared)
    label = study.points[0].label
    return f"here the ratio is smaller {label} in {smaller} of {len(shared)} layers"


def _trainings(study: Study) -> str:
    """The network behind each colour, with its seed and learning rate."""
    words = []
    for point in study.points:
        ann = point.simulation.settings["ann"]
        words.append(f"{point.label}: seed {ann['seed']}, learning rate {ann['learning_rate']:g}")
    return f"Each is one training ({'; '.join(words)}), so no spread is known."


def _rows(study: Study, point: Point) -> Iterator[list[Cell]]:
    for layer, (largest, percentile) in outliers(point).items():
        yield [study.name, point.name, point.label, layer, largest, percentile,
               largest / percentile, point.metrics["ann_accuracy"],
               point.simulation.key[:12]]  # fmt: skip


def _draw(study: Study, images: str) -> Figure:
    tested = f"{study.points[0].metrics['images']:,} {study.points[0].part} images"
    evidence = f"{images}; {study.training}; ANN: accuracy on {tested}"
    figure = new_figure(f"{study.dataset}: {study.title}", evidence, height=3.4)
    axes = figure.subplots()
    wide = 0.8 / len(study.points)
    for place, point in enumerate(study.points):
        ratios = [large / percentile for large, percentile in outliers(point).values()]
        shift = (place - (len(study.points) - 1) / 2) * wide
        words = f"{point.label} (ANN {point.metrics['ann_accuracy']:.2f} %)"
        places = [number + shift for number in range(len(ratios))]
        bars = axes.bar(places, ratios, wide * 0.92, color=COLOURS[place % 2], label=words)
        axes.bar_label(bars, fmt="%.2f", fontsize=8.5)
        axes.set_xticks(range(len(ratios)), list(outliers(point)))
    axes.margins(y=0.1)
    axes.set_ylabel("maximum / 99.9th percentile")
    axes.tick_params(axis="x", length=0)
    grid(axes)
    legend_under_heading(figure)
    return figure
