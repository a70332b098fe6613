"""A published accuracy against ours, in words that only measurements back."""

import math

from ann2snn.report.published import CURVE_IMAGES, Published, curve_of, published_curves
from ann2snn.report.results import READOUTS, Point, outliers, saturating_shares
from ann2snn.report.rows import LAST

CLOSE = 1.0  # points
RISING = 0.3  # points
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
        measured += _at_chance(point)
    if found.get("undecided"):
        measured.append(f"{found['undecided']:.2f} % of the images give no answer")
    if found.get("mean_rate") is not None:
        measured.append(f"mean rate {found['mean_rate']:.4f}")
    shares = saturating_shares(point).values()
    if max(shares, default=0.0) >= MANY:
        measured.append(f"up to {100 * max(shares):.1f} % of a layer's activations saturate")
    curve = point.simulation.curves["accuracy"]
    if len(curve) > LAST and _late_rise(curve) >= RISING:
        words = f"still rising, {_late_rise(curve):+.2f} in the last {LAST} steps"
        name = curve_of(point.toggles)
        if name and len(theirs_curve := published_curves()[name]) == len(curve):
            words += f", the authors' curve {_late_rise(theirs_curve):+.2f}"
        measured.append(words)
    return f"differs by {difference:+.2f}; measured: " + "; ".join(measured)


def _late_rise(curve: list[float]) -> float:
    return curve[-1] - curve[-1 - LAST]


def _at_chance(point: Point) -> list[str]:
    """What is known of a network that is right by chance: no read-out helps it, and how far its
    activations lie above what a rate can be."""
    found = point.metrics
    accuracies = [found[f"accuracy_{name}"] for name in READOUTS if f"accuracy_{name}" in found]
    words = "both within 10 points of chance, 10 %"
    if len(accuracies) > 1 and max(accuracies) < NEAR_CHANCE:
        words += f", ours by every read-out ({min(accuracies):.2f} to {max(accuracies):.2f})"
    measured = [words]
    if name := curve_of(point.toggles):
        end = published_curves()[name][-1]
        measured.append(f"the authors' own curve, of {CURVE_IMAGES} images, ends at {end:.2f}")
    if tops := [largest for largest, _ in outliers(point).values()]:
        measured.append(
            f"the largest activations of the layers are {min(tops):.1f} to {max(tops):.1f}"
            " thresholds, where a rate ends at 1; theirs are not published"
        )
    return measured
