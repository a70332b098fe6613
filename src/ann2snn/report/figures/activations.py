"""Figures 1a and 1b: activations of the first layer, and the largest one of each image."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE
from ann2snn.plots.drawing import dashed_line, grid, new_figure
from ann2snn.records import Json
from ann2snn.report.chart import Cell, Chart
from ann2snn.report.figures import EVERY, FIGURES, StudyFigure
from ann2snn.report.published import is_papers_network
from ann2snn.report.results import Results, Study

COLUMNS = ("study", "layer", "histogram", "from", "to", "count", "run")
PERCENTILE = "99.9"


@dataclass(frozen=True)
class Layer:
    """The statistics of a network's first layer; `run` is the conversion's. The histograms hold
    `edges` and the `counts` between neighbours."""

    name: str
    run: str
    images: int
    largest: float
    percentile: float
    histograms: dict[str, Json]


def chart(results: Results, study: Study) -> Chart | None:
    """One for each network: of its first study whose statistics are there."""
    for first in results.studies:
        layer = first_layer(results, first) if first.network == study.network else None
        if layer and layer.largest:
            break
    else:
        return None
    if first.name != study.name:
        return None
    return Chart(
        f"{study.name}-activations",
        study.name,
        _caption(study, layer),
        COLUMNS,
        list(_rows(study, layer)),
        partial(_draw, study, layer),
    )


FIGURES.add(StudyFigure("activations", EVERY, chart))


def _caption(study: Study, layer: Layer) -> str:
    words = (
        f"First layer `{layer.name}`, {layer.images:,} calibration images. Left: its non-zero"
        " activations. Right: the largest activation of each image. Dashed: the 99.9th percentile"
        f" of the non-zero ones, {layer.percentile / layer.largest:.2f} of the maximum"
    )
    if is_papers_network(study.points[0].simulation.settings, study.dataset):
        words += " (the paper's: about a third, on the original CIFAR-10)"
    return f"{words}. Statistics of conversion `{layer.run[:10]}`."


def first_layer(results: Results, study: Study) -> Layer | None:
    """The first layer of a study's activation statistics; None without them or without the record
    of its conversion.

    The summary has no order; the conversion's table of nodes has.

    Raises:
        ValueError: the summary lacks what the figure shows.
    """
    summary: Json = results.statistics.get(study.name, {})
    conversion = study.points[0].conversion
    if conversion is None or not summary:
        return None
    nodes = [node["name"] for node in conversion.details["layers"]]
    name = next((node for node in nodes if node in summary), None)
    if name is None:
        raise ValueError(
            f"the activation statistics of study {study.name} name {', '.join(summary)},"
            f" its conversion names {', '.join(nodes)}"
        )
    layer = summary[name]
    try:
        return Layer(
            name=name,
            run=conversion.key[:12],
            images=sum(layer["image_maxima"]["counts"]),
            largest=float(layer["max"]),
            percentile=float(layer["percentiles"][PERCENTILE]),
            histograms={
                "activations": layer["histogram"], "image_maxima": layer["image_maxima"],
            },
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"the activation statistics of study {study.name} lack {error} of layer {name}"
        ) from error


def calibration_images(results: Results, study: Study) -> str:
    """How many images a study's scales come from, in words."""
    layer = first_layer(results, study)
    return f"{layer.images:,} calibration images" if layer else "calibration images"


def _rows(study: Study, layer: Layer) -> Iterator[list[Cell]]:
    for which, histogram in layer.histograms.items():
        edges = pairwise(histogram["edges"])
        for (low, high), count in zip(edges, histogram["counts"], strict=True):
            yield [study.name, layer.name, which, low, high, count, layer.run]


def _draw(study: Study, layer: Layer) -> Figure:
    evidence = f"first layer {layer.name}, {layer.images:,} calibration images; {study.training}"
    figure = new_figure(f"{study.dataset}: activations and their outliers", evidence, height=3.5)
    left, right = figure.subplots(1, 2)
    left.set(yscale="log", xlabel="activation (non-zero)", ylabel="activations")
    right.set(xlabel="largest activation of an image", ylabel="images")
    for axes, histogram in zip((left, right), layer.histograms.values(), strict=True):
        axes.stairs(histogram["counts"], histogram["edges"], fill=True, color=BLUE)
        dashed_line(axes, layer.percentile, "x", words="99.9th percentile")
        axes.set_xlim(0, 1.02 * layer.largest)
        grid(axes)
    return figure
