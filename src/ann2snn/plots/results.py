"""The figures of a single result, from plain numbers: accuracy, rates, spikes, potentials, answers,
energy."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ann2snn.plots.colours import BLUE, DISTINCT, FAINT, INK, QUIET, VERMILION, shade
from ann2snn.plots.drawing import (
    SMALL,
    dashed_line,
    drawing_style,
    grid,
    legend_under_heading,
    new_figure,
    stacked_labels,
)

Reals = npt.NDArray[np.float64]
Whole = npt.NDArray[np.integer]
WRITTEN = 20  # classes up to which a cell's number is written into it
NAMED = 12  # curves up to which each has its name at its end


def accuracy(
    curves: Mapping[str, Reals], low: Reals, high: Reals, ann: float | None, evidence: str
) -> Figure:
    """Accuracies by step and output, the first with its interval from `low` to `high`."""
    with drawing_style():
        figure = new_figure("Accuracy of the SNN by step", evidence)
        axes = figure.subplots()
        steps = np.arange(1, len(low) + 1)
        axes.fill_between(steps, low, high, color=BLUE, alpha=0.18, linewidth=0)
        labels = []
        for place, (name, curve) in enumerate(curves.items()):
            colour = DISTINCT[place % len(DISTINCT)]
            axes.plot(steps, curve, color=colour, linewidth=1.8 if place == 0 else 1.0)
            labels.append((float(curve[-1]), f"{name} {curve[-1]:.2f}", colour))
        if ann is not None:
            dashed_line(axes, ann)
            labels.append((ann, f"ANN {ann:.2f}", INK))
        axes.set(xlabel="time, steps", ylabel="accuracy, %", xlim=(1, max(len(low), 2)))
        axes.set_ylim(0, 102)
        grid(axes)
        stacked_labels(axes, labels)
    return figure


def rates(curves: Mapping[str, Reals], evidence: str) -> Figure:
    """The share of each layer's neurons that spike in each step, from bright to dark by depth."""
    with drawing_style():
        figure = new_figure("Firing rate by layer", evidence)
        axes = figure.subplots()
        for place, (name, curve) in enumerate(curves.items()):
            colour = shade(place, len(curves))
            axes.plot(np.arange(1, len(curve) + 1), curve, color=colour, linewidth=1.4, label=name)
        axes.set(xlabel="time, steps", ylabel="spikes per neuron and step")
        axes.set_xlim(1, max([2, *(len(curve) for curve in curves.values())]))
        axes.set_ylim(bottom=0)
        grid(axes)
        _named(axes, curves)
    return figure


def _named(axes: Axes, curves: Mapping[str, Reals]) -> None:
    """Names curves of one axes at their ends, of many the first and the last."""
    names = list(curves)
    shown = names if len(names) <= NAMED else [names[0], names[-1]]
    ends = [(float(curves[n][-1]), n, shade(names.index(n), len(names))) for n in shown]
    if ends:
        stacked_labels(axes, ends)


def raster(trains: Whole, units: Sequence[int], evidence: str) -> Figure:
    """Spike trains (steps, units): a tick for each spike, negative ones in another colour."""
    with drawing_style():
        height = min(1.6 + 0.16 * len(units), 9.0)
        figure = new_figure("Spikes by neuron", evidence, max(height, 2.4))
        axes = figure.subplots()
        for value, colour, words in ((1, BLUE, "spike"), (-1, VERMILION, "negative spike")):
            step, place = np.nonzero(np.asarray(trains, np.int8) == value)
            if value == 1 or len(step):
                axes.plot(step + 1, place, "|", color=colour, markersize=5, label=words)
        axes.set_xlim(0.5, len(trains) + 0.5)
        axes.set_ylim(len(units) - 0.4, -0.6)
        every = max(1, len(units) // 40)
        axes.set_yticks(range(0, len(units), every), [str(u) for u in units[::every]])
        axes.set(xlabel="time, steps", ylabel="neuron")
        if (np.asarray(trains) < 0).any():
            legend_under_heading(figure)
    return figure


def potentials(values: Reals, answer: int, label: int | None, evidence: str) -> Figure:
    """The accumulated potential of each class (steps, classes) of one image; those of its answer
    and, where it is another and known, of its label in colour."""
    with drawing_style():
        figure = new_figure("Potential of the classes", evidence)
        axes = figure.subplots()
        steps = np.arange(1, len(values) + 1)
        wanted = {answer: ("answer", BLUE)}
        if label is not None:
            words = "answer and label" if label == answer else "label"
            wanted[label] = (words, BLUE if label == answer else VERMILION)
        for place in sorted(range(values.shape[1]), key=lambda each: each in wanted):
            _, colour = wanted.get(place, ("", FAINT))
            axes.plot(steps, values[:, place], color=colour, linewidth=1 + 0.8 * (place in wanted))
        ends = [(float(values[-1, c]), f"{c}: {w}", colour) for c, (w, colour) in wanted.items()]
        axes.set(xlabel="time, steps", ylabel="potential, thresholds")
        axes.set_xlim(1, max(len(values), 2))
        grid(axes)
        stacked_labels(axes, ends)
    return figure


def confusion(counts: Whole, undecided: int, evidence: str) -> Figure:
    """Images by label (rows) and answer (columns); those without an answer stand in the heading."""
    with drawing_style():
        classes = len(counts)
        words = f"{evidence}; {undecided} undecided" if undecided else evidence
        figure = new_figure("Labels and answers", words, 6.4)
        axes = figure.subplots()
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        if classes <= WRITTEN:
            for row, column in np.argwhere(counts):
                colour = "white" if share[row, column] > 0.5 else INK
                axes.text(column, row, str(counts[row, column]), ha="center", va="center",
                          fontsize=SMALL, color=colour)  # fmt: skip
            axes.set_xticks(range(classes))
            axes.set_yticks(range(classes))
        axes.tick_params(length=0)
        axes.set(xlabel="answer", ylabel="label")
    return figure


def energy(spiking: Mapping[str, float], analog: Mapping[str, float], evidence: str) -> Figure:
    """Nanojoules per image of each layer, of the spiking network and of the analog one."""
    with drawing_style():
        names = list(spiking)
        figure = new_figure("Energy of the operations by layer", evidence, 1.5 + 0.42 * len(names))
        axes = figure.subplots()
        places = np.arange(len(names))
        pairs = ((-0.19, spiking, BLUE, "SNN"), (0.19, analog, FAINT, "ANN"))
        for shift, values, colour, words in pairs:
            heights = [values[name] for name in names]
            axes.barh(places + shift, heights, 0.36, color=colour,
                      label=f"{words}, {sum(heights):.3g} nJ in all")  # fmt: skip
            for place, height in zip(places, heights, strict=True):
                axes.annotate(f"{height:.3g}", (height, place + shift), (3, 0), va="center",
                              textcoords="offset points", fontsize=SMALL, color=QUIET)  # fmt: skip
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(places, names)
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.12)
        axes.set(xlabel="nanojoules per image")
        grid(axes, "x")
        legend_under_heading(figure)
    return figure
