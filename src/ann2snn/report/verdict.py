"""A published number against ours, in words that only measurements back."""

import math

from ann2snn.report.published import Published
from ann2snn.report.reading import Point

CLOSE = 1.0  # points


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
    return f"differs by {difference:+.2f}; measured: " + "; ".join(measured)
