"""Figures 1a and 1b: activations of the first layer, and the largest one of each image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ann2snn.records import Json
from ann2snn.report.chart import BLUE, DASHED, INK, Cell, Chart, grid, new_figure
from ann2snn.report.reading import Results, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("study", "layer", "histogram", "from", "to", "count", "run")
PERCENTILE = "99.9"


@dataclass(frozen=True)
class Histogram:
    """Counts between neighbouring edges."""

    edges: list[float]
    counts: list[int]


@dataclass(frozen=True)
class Layer:
    """What the statistics say of a network's first layer; `run` is the conversion's."""

    name: str
    images: int
    run: str
    largest: float
    percentile: float
    activations: Histogram
    image_maxima: Histogram


def charts(results: Results) -> Iterator[Chart]:
    """One chart for each network whose statistics are there."""
    drawn: set[str] = set()
    for study in results.studies:
        if study.network in drawn or study.name not in results.statistics:
            continue
        layer = first_layer(results.statistics[study.name], study)
        if layer is None or not layer.largest:
            continue
        drawn.add(study.network)
        yield Chart(
            f"{study.name}-activations",
            study.name,
            _caption(study, layer),
            COLUMNS,
            [*_rows(study, layer, "activations"), *_rows(study, layer, "image_maxima")],
            partial(_draw, study, layer),
        )


def _caption(study: Study, layer: Layer) -> str:
    words = (
        f"First layer `{layer.name}`, {layer.images:,} calibration images. Left: its non-zero"
        " activations. Right: the largest activation of each image. Dashed: the 99.9th percentile"
        f" of the non-zero ones, {layer.percentile / layer.largest:.2f} of the maximum"
    )
    if study.dataset.startswith("CIFAR-10"):
        words += " (the paper's: about a third, on the original CIFAR-10)"
    return f"{words}. Statistics of conversion `{layer.run[:10]}`."


def first_layer(summary: Json, study: Study) -> Layer | None:
    """The first layer of a summary of activation statistics; None without a conversion's record.

    The summary has no order; the conversion's table of nodes has.

    Raises:
        ValueError: the summary lacks what the figure shows.
    """
    conversion = study.points[0].conversion
    if conversion is None:
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
            images=sum(layer["image_maxima"]["counts"]),
            run=conversion.key[:12],
            largest=float(layer["max"]),
            percentile=float(layer["percentiles"][PERCENTILE]),
            activations=Histogram(**layer["histogram"]),
            image_maxima=Histogram(**layer["image_maxima"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"the activation statistics of study {study.name} lack {error} of layer {name}"
        ) from error


def calibration_images(results: Results, study: Study) -> str:
    """How many images a study's scales come from, in words."""
    summary = results.statistics.get(study.name)
    layer = first_layer(summary, study) if summary else None
    return f"{layer.images:,} calibration images" if layer else "calibration images"


def _rows(study: Study, layer: Layer, which: str) -> Iterator[list[Cell]]:
    histogram: Histogram = getattr(layer, which)
    sides = zip(histogram.edges[:-1], histogram.edges[1:], histogram.counts, strict=True)
    for low, high, count in sides:
        yield [study.name, layer.name, which, low, high, count, layer.run]


def _draw(study: Study, layer: Layer) -> "Figure":
    evidence = f"first layer {layer.name}, {layer.images:,} calibration images; {study.training}"
    figure = new_figure(f"{study.dataset}: activations and their outliers", evidence, height=3.5)
    left = figure.add_axes((0.085, 0.15, 0.385, 0.63))
    right = figure.add_axes((0.585, 0.15, 0.385, 0.63))
    _stairs(left, layer.activations)
    _stairs(right, layer.image_maxima)
    left.set_yscale("log")
    left.set_ylabel("activations")
    left.set_xlabel("activation (non-zero)")
    right.set_ylabel("images")
    right.set_xlabel("largest activation of an image")
    for axes in (left, right):
        axes.axvline(layer.percentile, color=INK, linewidth=1, linestyle=DASHED)
        axes.set_xlim(0, 1.02 * layer.largest)
        axes.text(
            layer.percentile, 1.01, "99.9th percentile", ha="center", va="bottom", fontsize=8.5,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
        grid(axes)
    return figure


def _stairs(axes: "Axes", histogram: Histogram) -> None:
    counts: Sequence[float] = histogram.counts
    axes.stairs(counts, histogram.edges, fill=True, color=BLUE)
