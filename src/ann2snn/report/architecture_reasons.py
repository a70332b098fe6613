"""What an architecture is worth, and what other runs say of it: sentences that data back."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean

from ann2snn.report.published import Published, papers_network
from ann2snn.report.results import Point, Results, Study
from ann2snn.report.verdict import CLOSE

Network = tuple[str, list[Point], Published]


def reasons(results: Results, study: Study) -> Iterator[str]:
    """From network to network: the ANN beside the paper's, the part of the normalization, and the
    read-out that follows ReLU outputs."""
    networks: dict[str, Network] = {}
    for label, points in study.variants.items():
        theirs = papers_network(points[0].simulation.settings, study.dataset)
        if theirs:
            networks.setdefault(theirs.name, (label, points, theirs))
    pairs = list(pairwise(networks.values()))
    if not pairs:
        return
    yield _from_network_to_network(pairs)
    for (_, before, _), (_, after, _) in pairs:
        if _has_biases(before) and not _has_biases(after):
            yield from _worth_of_normalization(results, study, _ann(before) - _ann(after))
    if "relu-output" in networks:
        yield from _relu_outputs(networks["relu-output"][1])


def _from_network_to_network(pairs: Sequence[tuple[Network, Network]]) -> str:
    """How the ANN changes, beside the paper's; what is within the spread of seeds says so."""
    words, within = [], []
    for (_, before, their_before), (label, after, their_after) in pairs:
        change = their_after.value - their_before.value
        words.append(f"{label} {_ann(after) - _ann(before):+.2f} (the paper's {change:+.2f})")
        values = [[point.metrics["ann_accuracy"] for point in points] for points in (before, after)]
        if max(map(min, values)) <= min(map(max, values)):
            within.append(label)
    trainings = min(len(points) for pair in pairs for _, points, _ in pair)
    text = (
        f"The ANN from network to network, in means of {trainings} trainings: {'; '.join(words)}."
    )
    if within:
        text += f" Within the spread of seeds: {', '.join(within)}."
    if any(theirs.mark == "M" for pair in pairs for _, _, theirs in pair):
        text += " Of the paper's some are from memory, unverified, as the table marks them."
    return text


def _has_biases(points: Sequence[Point]) -> bool:
    return bool(points[0].simulation.settings["ann"]["bias"])


def _mean(points: Sequence[Point], metric: str) -> float:
    """The mean of a metric over trainings."""
    return fmean(point.metrics[metric] for point in points)


def _ann(points: Sequence[Point]) -> float:
    return _mean(points, "ann_accuracy")


def _worth_of_normalization(results: Results, study: Study, lost: float) -> Iterator[str]:
    """What batch normalization alone is worth to a network with biases, in another study."""
    for other in results.of_kind("batch-norm"):
        if other.network != study.network or len(other.points) != 2:
            continue
        normalized, plain = (point.metrics["ann_accuracy"] for point in other.points)
        rates = [point.simulation.settings["ann"]["learning_rate"] for point in other.points]
        yield (
            "Where biases are held at zero, batch normalization only scales: its means would be"
            " biases once they are folded. Two other networks, with biases, have"
            f" {normalized:.2f} with batch normalization and {plain:.2f} without (study"
            f" `{other.name}`: {other.training}, learning rates {rates[0]:g} and {rates[1]:g}, one"
            f" training each): there the normalization is worth {normalized - plain:.2f} points,"
            f" here the biases held at zero cost {lost:.2f}. No run separates the two."
        )


def _relu_outputs(points: Sequence[Point]) -> Iterator[str]:
    """Which read-out follows ReLU outputs, where the table's does not."""
    if any(point.toggles.get("output", "softmax") != "softmax" for point in points):
        return
    if any("accuracy_count" not in point.metrics for point in points):
        return
    ann = _ann(points)
    counts, softmax = _mean(points, "accuracy_count"), _mean(points, "snn_accuracy")
    if ann - counts <= CLOSE < ann - softmax:
        yield (
            "An ANN with ReLU outputs answers with its largest output. Read out by the most spikes"
            f" the same runs have {counts:.2f} (loss {ann - counts:.2f}), by the spiking"
            f" softmax {softmax:.2f}: the loss in the table is the read-out's. How the paper"
            " trained its ReLU outputs is not known here, so their fall there stays unexplained."
        )
