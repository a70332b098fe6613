"""Published numbers, each bound to a data set and a network, with its mark and source.

`numbers.csv` holds accuracies in percent. Mark A: read in the authors' published code or plot data;
M: from memory of the text, unverified, and never printed without saying so. `accuracy_latency.csv`
holds the authors' own curves of figure 3: accuracy in percent of 500 test images, by step. The
column `network` names the network of this project that has the published one's architecture; it is
empty where there is none. All CIFAR-10 numbers are on the original images.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ann2snn.records import Json
from ann2snn.report.results import scale_percentile

FOLDER = Path(__file__).parent
CURVE_IMAGES = 500
# The data sets, by their manifests' names, that may stand beside numbers published on each; what
# is printed names the copy.
COMPARABLE = {
    "CIFAR-10": ("CIFAR-10", "CIFAR-10 (JPEG copy)", "CIFAR-10 (1,000 original test images)"),
    "MNIST": ("MNIST",),
}
# The bars of figure 2, by input, reset and scale: the percentile, or a normalization without one.
BARS: dict[tuple[str, str, float | str], str] = {
    ("poisson", "zero", "none"): "default",
    ("poisson", "zero", 100.0): "max-norm",
    ("poisson", "subtract", 100.0): "subtraction",
    ("analog", "subtract", 100.0): "analog-input",
    ("analog", "subtract", 99.9): "percentile-99.9",
}
# The analog networks, by bias, pooling and output.
NETWORKS = {
    (True, "max", "softmax"): "full",
    (False, "max", "softmax"): "no-bias",
    (False, "average", "softmax"): "average-pooling",
    (False, "average", "relu"): "relu-output",
}


@dataclass(frozen=True)
class Published:
    """An accuracy in percent of `network` on `dataset`, with where it was read."""

    name: str
    value: float
    mark: str
    source: str
    dataset: str
    network: str

    @property
    def words(self) -> str:
        """The number as it may be printed: an unverified one says so."""
        return f"{self.value:.2f}" + (" (from memory, unverified)" if self.mark == "M" else "")


def papers_data(dataset: str) -> str | None:
    """The data set of publications that this one, by its exact name, is or copies."""
    return next((name for name, known in COMPARABLE.items() if dataset in known), None)


@cache
def published(table: str) -> dict[str, Published]:
    """The published numbers of one table by name, in the paper's order."""
    rows = [row for row in _rows("numbers.csv") if row["table"] == table]
    return {
        row["name"]: Published(
            name=row["name"], value=float(row["value"]), mark=row["mark"], source=row["source"],
            dataset=row["dataset"], network=row["network"],
        )
        for row in rows
    }  # fmt: skip


@cache
def published_curves() -> dict[str, list[float]]:
    """The authors' accuracy (percent) by step, by name of the curve."""
    rows = _rows("accuracy_latency.csv")
    names = [name for name in rows[0] if name not in ("dataset", "network", "step")]
    return {name: [float(row[name]) for row in rows] for name in names}


@cache
def _rows(file: str) -> list[dict[str, str]]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def papers_network(settings: Json, dataset: str) -> Published | None:
    """The paper's ANN of this architecture, where it has one on this data set."""
    ann = settings["ann"]
    name = NETWORKS.get((ann["bias"], ann["pooling"], ann["output"]))
    row = published("architecture").get(name or "")
    bound = row and (row.dataset, row.network) == (papers_data(dataset), ann["network"])
    return row if bound and ann.get("activation", "relu") == "relu" else None


def is_papers_network(settings: Json, dataset: str) -> bool:
    """Whether the network is that of the paper's figures 2 and 3, on their data set or its copy."""
    network = papers_network(settings, dataset)
    return network is not None and network.name == "full"


def papers_bar(settings: Json, dataset: str) -> Published | None:
    """The bar of figure 2 for a run with these settings, where the network is the paper's."""
    bar = published("ablation").get(bar_of(settings["conversion"]) or "")
    return bar if is_papers_network(settings, dataset) else None


def papers_curve(settings: Json, dataset: str) -> list[float]:
    """The authors' curve of figure 3 for a run with these settings; empty where there is none."""
    first = _rows("accuracy_latency.csv")[0]
    bound = (first["dataset"], first["network"]) == (
        papers_data(dataset),
        settings["ann"]["network"],
    )
    name = curve_of(settings["conversion"])
    return (
        published_curves()[name] if name and bound and is_papers_network(settings, dataset) else []
    )


def later_network(settings: Json, dataset: str) -> dict[str, str] | None:
    """The row of the later paper of the same authors (2017) for this network, on this data set or
    the one that it copies: from their own notebooks, errors in percent and operations in 10^9 per
    image, those of the ANN being 2 x multiply-accumulates plus biases."""
    if not is_papers_network(settings, dataset):
        return None
    (row,) = [row for row in later_rows() if row["network"] == settings["ann"]["network"]]
    return row


def later_rows() -> list[dict[str, str]]:
    """The later paper's table, by network."""
    return _rows("later.csv")


def few_steps_rows() -> list[dict[str, str]]:
    """Other methods' published results after few steps, with what they count as a step."""
    return _rows("few_steps.csv")


def is_full_method(conversion: Json) -> bool:
    """Whether input and reset are those of the paper's full method, whatever the scale."""
    return (conversion["input"], conversion["reset"]) == ("analog", "subtract")


def bar_of(conversion: Json) -> str | None:
    """The bar of figure 2 whose mechanisms these toggles are, or None."""
    scale = scale_percentile(conversion)
    key = conversion["normalization"] if scale is None else scale
    return BARS.get((conversion["input"], conversion["reset"], key))


def curve_of(conversion: Json) -> str | None:
    """The authors' curve of figure 3 with these toggles, or None.

    Their `max_norm` ends where the second bar of figure 2 stands, so it is that bar's baseline
    (Poisson input, reset to zero), not the 100th percentile of the full method.
    """
    bar = bar_of(conversion)
    if bar in ("default", "max-norm"):
        return bar.replace("-", "_")
    scale = scale_percentile(conversion)
    name = f"p{scale:g}" if scale is not None and is_full_method(conversion) else None
    return name if name in published_curves() else None
