"""A published number against ours, in words that only measurements back."""

import math

from ann2snn.report.published import Published
from ann2snn.report.reading import Point, outliers

CLOSE = 1.0  # points
RISING = 0.3  # points
LAST = 50  # steps
MANY = 0.01  # of a layer's activations


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
    layers = point.conversion.details["layers"] if point.conversion else []
    return [layer["saturating"] for layer in layers if layer.get("saturating") is not None]


def slowed_by_outliers(point: Point) -> str:
    """How much slower than by the 99.9th percentile each layer is under a scale by its maximum."""
    ratios = [largest / percentile for largest, percentile in outliers(point).values()]
    if not ratios:
        return ""
    return (
        "Between the bars with the maximum and with the percentile as the scale lies time: the"
        " maximum of a layer is "
        + ", ".join(f"{ratio:.1f}" for ratio in ratios)
        + f" times its 99.9th percentile, {math.prod(ratios):.0f} times all together, and a rate"
        " falls by that factor. Networks with fewer outliers lose less there; the paper's first"
        " layer has about 3."
    )
