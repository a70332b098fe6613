"""A published number against ours, in words that only measurements back."""

import math
from collections.abc import Sequence
from itertools import pairwise

from ann2snn.report.intervals import first_step_at
from ann2snn.report.published import Published, curve_of, published_curves
from ann2snn.report.reading import Point, Study, outliers, scale_percentile

CLOSE = 1.0  # points
RISING = 0.3  # points
LAST = 50  # steps
MANY = 0.01  # of a layer's activations
NEAR_CHANCE = 20.0  # percent, of ten classes


def verdict(point: Point, theirs: Published, theirs_ann: Published) -> str:
    """`within x points`, or by how much it differs and what was measured beside it."""
    found = point.metrics
    difference = found["snn_accuracy"] - theirs.value
    if abs(difference) <= CLOSE:
        return f"within {max(math.ceil(abs(difference) * 10), 1) / 10:.1f} points"
    ann = found["ann_accuracy"] - theirs_ann.value
    loss = found["ann_accuracy"] - found["snn_accuracy"]
    measured = [
        f"the ANN differs by {ann:+.2f}",
        f"the loss against the ANN is {loss:.2f}, theirs {theirs_ann.value - theirs.value:.2f}",
    ]
    if max(found["snn_accuracy"], theirs.value) < NEAR_CHANCE:
        measured.append("both within 10 points of chance, 10 %; nothing measured here says why")
    if found.get("undecided"):
        measured.append(f"{found['undecided']:.2f} % of the images give no answer")
    if found.get("mean_rate") is not None:
        measured.append(f"mean rate {found['mean_rate']:.4f}")
    shares = saturating_shares(point)
    if shares and max(shares) >= MANY:
        measured.append(f"up to {100 * max(shares):.1f} % of a layer's activations saturate")
    curve = point.simulation.curves["accuracy"]
    if len(curve) > LAST and curve[-1] - curve[-1 - LAST] >= RISING:
        gained = curve[-1] - curve[-1 - LAST]
        measured.append(f"still rising, {gained:+.2f} in the last {LAST} steps")
    return f"differs by {difference:+.2f}; measured: " + "; ".join(measured)


def saturating_shares(point: Point) -> list[float]:
    """The share of each neuron layer's calibration activations above its scale."""
    layers = point.conversion.details.get("layers", []) if point.conversion else []
    return [layer["saturating"] for layer in layers if layer.get("saturating") is not None]


def slowed_by_outliers(points: Sequence[Point]) -> str:
    """How far the largest activation of each layer lies above its 99.9th percentile, beside how
    much its spikes rise from the bar with the maximum as the scale to that with the percentile;
    empty where no two points differ in just that."""
    pair = next((pair for pair in pairwise(points) if _differ_in_scale(*pair)), None)
    if pair is None or not outliers(pair[0]):
        return ""
    slow, fast = pair
    ratios = outliers(slow)
    largest = [top / percentile for top, percentile in ratios.values()]
    counts = [
        [sum(point.simulation.curves[f"spikes/{layer}"]) for point in pair] for layer in ratios
    ]
    return (
        f"Between the bars `{slow.label}` and `{fast.label}` lies time, since a layer's rates are"
        " its activations over its own scale: from the first layer to the last the maximum is "
        + ", ".join(f"{ratio:.2f}" for ratio in largest)
        + " times the 99.9th percentile, and the spikes rise "
        + ", ".join(f"{after / before:.2f}" if before else "from none" for before, after in counts)
        + " times."
    )


def _differ_in_scale(slow: Point, fast: Point) -> bool:
    """Whether the one has the maximum and the other a percentile as its scale, all else alike."""
    scales = ("normalization", "percentile")
    rest = [
        {name: value for name, value in point.toggles.items() if name not in scales}
        for point in (slow, fast)
    ]
    highest, lower = (scale_percentile(point.toggles) for point in (slow, fast))
    return highest == 100 and lower is not None and lower < highest and rest[0] == rest[1]


def sooner_or_later(percentiles: Study, level: float) -> str:
    """When this network and the authors' have `level` percent right at the same percentile, which
    says how far along its curve a bar stands; empty where nothing can be compared."""
    authors = published_curves()
    pairs = []
    for point in percentiles.points:
        name = curve_of(point.toggles)
        ours = first_step_at(point.simulation.curves["accuracy"], level)
        theirs = first_step_at(authors[name], level) if name else None
        if ours and theirs:
            pairs.append((point.label, ours, theirs))
    if not pairs:
        return ""
    words = "; ".join(f"{label}: step {ours}, theirs {theirs}" for label, ours, theirs in pairs)
    text = f"Time to {level:.0f} % right at equal percentiles ({words})"
    if all(ours < theirs for _, ours, theirs in pairs):
        text += (
            ": this network is faster, so the bars with the maximum as their scale stand further"
            " along their curves at the same step, and leave less to gain for the mechanisms"
            " behind them"
        )
    elif all(ours > theirs for _, ours, theirs in pairs):
        text += (
            ": this network is slower, so the bars with the maximum as their scale stand less far"
            " along their curves at the same step"
        )
    return f"{text}. The authors' curves are of 500 images."


def from_bar_to_bar(points: Sequence[Point]) -> str:
    """By how much each bar is above the one before, and which of them differ by less than the
    images' choice does."""
    pairs = list(pairwise(points))
    if not pairs:
        return ""
    gains = [b.metrics["snn_accuracy"] - a.metrics["snn_accuracy"] for a, b in pairs]
    within = [
        b.label
        for a, b in pairs
        if a.metrics["interval_low"] <= b.metrics["snn_accuracy"] <= a.metrics["interval_high"]
    ]
    falls = sum(gain < 0 for gain in gains)
    order = "no bar is below the one before" if not falls else f"{falls} below the one before"
    text = f"From bar to bar: {', '.join(f'{gain:+.2f}' for gain in gains)}; {order}"
    if within:
        text += f"; within the 95 % interval of the one before: {', '.join(within)}"
    return text + "."
