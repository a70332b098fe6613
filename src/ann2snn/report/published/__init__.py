"""Published numbers, kept once, with their marks and sources.

`numbers.csv` holds accuracies in percent. Mark A: read in the authors' published code or plot data;
M: from memory of the text, unverified, and never printed without saying so. `accuracy_latency.csv`
holds the authors' own curves of figure 3: accuracy in percent of 500 test images, by step.
All CIFAR-10 numbers are on the original images.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ann2snn.records import Json

FOLDER = Path(__file__).parent
CURVE_IMAGES = 500
FOUR_CONVOLUTIONS = "cifar10_cnn"


@dataclass(frozen=True)
class Published:
    """An accuracy in percent, with where it was read."""

    name: str
    value: float
    mark: str
    source: str

    @property
    def words(self) -> str:
        """The number as it may be printed: an unverified one says so."""
        return f"{self.value:.2f}" + (" (from memory, unverified)" if self.mark == "M" else "")


@cache
def published(table: str) -> dict[str, Published]:
    """The published numbers of one table by name, in the paper's order."""
    with (FOLDER / "numbers.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: Published(row["name"], float(row["value"]), row["mark"], row["source"])
            for row in csv.DictReader(file)
            if row["table"] == table
        }


@cache
def published_curves() -> dict[str, list[float]]:
    """The authors' accuracy (percent) by step, by name of the curve."""
    with (FOLDER / "accuracy_latency.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "step"}


def is_papers_network(settings: Json, dataset: str) -> bool:
    """Whether the paper has numbers for this: its four-convolution network, on CIFAR-10.

    The JPEG copy counts too; what is printed names it.
    """
    ann = settings["ann"]
    return (
        dataset.startswith("CIFAR-10")
        and ann["network"] == FOUR_CONVOLUTIONS
        and (ann["pooling"], ann["bias"], ann["output"]) == ("max", True, "softmax")
    )


def papers_bar(settings: Json, dataset: str) -> Published | None:
    """The bar of figure 2 for a run with these settings, where the network is the paper's."""
    name = bar_of(settings["conversion"])
    return (
        published("ablation").get(name) if name and is_papers_network(settings, dataset) else None
    )


def papers_network(settings: Json, dataset: str) -> Published | None:
    """The paper's ANN of this architecture, on CIFAR-10."""
    ann = settings["ann"]
    if not dataset.startswith("CIFAR-10") or ann["network"] != FOUR_CONVOLUTIONS:
        return None
    name = {
        (True, "max", "softmax"): "full",
        (False, "max", "softmax"): "no-bias",
        (False, "average", "softmax"): "average-pooling",
        (False, "average", "relu"): "relu-output",
    }.get((ann["bias"], ann["pooling"], ann["output"]))
    return published("architecture")[name] if name else None


def is_full_method(conversion: Json) -> bool:
    """Whether input and reset are those of the paper's full method, whatever the scale."""
    return (conversion["input"], conversion["reset"]) == ("analog", "subtract")


def bar_of(conversion: Json) -> str | None:
    """The bar of figure 2 whose mechanisms these toggles are, or None."""
    mechanisms = (conversion["input"], conversion["reset"], conversion["normalization"])
    if mechanisms == ("analog", "subtract", "percentile"):
        return {99.9: "percentile-99.9", 100.0: "analog-input"}.get(conversion["percentile"])
    return {
        ("poisson", "zero", "none"): "default",
        ("poisson", "zero", "max"): "max-norm",
        ("poisson", "subtract", "max"): "subtraction",
        ("analog", "subtract", "max"): "analog-input",
    }.get(mechanisms)


def curve_of(conversion: Json) -> str | None:
    """The authors' curve of figure 3 with these toggles, or None.

    Their `max_norm` ends where the second bar of figure 2 stands, so it is that bar's baseline
    (Poisson input, reset to zero), not the 100th percentile of the full method.
    """
    bar = bar_of(conversion)
    if bar in ("default", "max-norm"):
        return bar.replace("-", "_")
    if is_full_method(conversion):
        name = f"p{conversion['percentile']:g}"
        if conversion["normalization"] == "percentile" and name in published_curves():
            return name
    return None
