"""The content of `artifacts` as studies with their points; nothing but files is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.records import Json, Record, read_json

# The order of the page; other kinds and data sets come last, by name.
KINDS = (
    "best", "network", "few-steps", "seeds", "ablation", "percentiles", "architecture", "poolings",
    "outputs", "inputs", "channels", "presets", "selection", "theory", "batch-norm",
)  # fmt: skip
DATASETS = ("CIFAR-10", "CIFAR-10 (JPEG copy)", "CIFAR-10 (1,000 original test images)",
            "CIFAR-100", "Fashion-MNIST", "MNIST", "digits")  # fmt: skip
NEEDED_METRICS = ("snn_accuracy", "ann_accuracy", "interval_low", "interval_high", "images",
                  "steps", "steps_to_99", "spikes_per_neuron", "synops_per_image",
                  "macs_per_image", "exact", "agreement")  # fmt: skip

MAXIMUM = 100.0  # the percentile that is a layer's largest activation
OUTPUT_LABELS = {output.name: output.label for output in OUTPUTS.values()}


@dataclass(frozen=True)
class Point:
    """One simulation of a study; `path` is its record file, relative to `artifacts`."""

    name: str
    label: str
    path: Path
    simulation: Record
    conversion: Record | None

    @property
    def metrics(self) -> Json:
        return self.simulation.metrics

    @property
    def part(self) -> str:
        """The images it ran on: test, or validation."""
        return str(self.simulation.settings["simulation"]["part"])

    @property
    def toggles(self) -> Json:
        """The toggles of the conversion."""
        toggles: Json = self.simulation.settings["conversion"]
        return toggles


@dataclass(frozen=True)
class Study:
    """The points of a study, in the order of params.yaml."""

    name: str
    title: str
    kind: str
    network: str
    dataset: str
    points: tuple[Point, ...]

    @property
    def extent(self) -> str:
        """Images, steps, seeds and training in words, as every figure names them."""
        runs = [point.simulation.settings["simulation"] for point in self.points]
        images, steps = (
            _words([f"{number:,}" for number in sorted({p.metrics[metric] for p in self.points})])
            for metric in ("images", "steps")
        )
        seeds = _words(sorted({run["seed"] for run in runs}), ", ")
        parts = _words(sorted({point.part for point in self.points}))
        return f"{images} {parts} images, {steps} steps, seed {seeds}; {self.training}"

    @property
    def training(self) -> str:
        """The epochs and seeds of the networks' training in words, or that weights were given."""
        recipes = [point.simulation.settings["ann"] for point in self.points]
        trained = [recipe for recipe in recipes if not recipe["weights"]]
        words = []
        if trained:
            epochs = _words(sorted({recipe["epochs"] for recipe in trained}))
            seeds = sorted({recipe["seed"] for recipe in trained})
            words.append(
                f"trained {epochs} {'epoch' if epochs == '1' else 'epochs'},"
                f" {'seeds' if len(seeds) > 1 else 'seed'} {_words(seeds, ', ')}"
            )
        return "; ".join(words + ["given weights"] * (len(trained) < len(recipes)))

    @property
    def variants(self) -> dict[str, list[Point]]:
        """Points by label: trainings of one network with other seeds share theirs."""
        found: dict[str, list[Point]] = {}
        for point in self.points:
            found.setdefault(point.label, []).append(point)
        return found


def _words(values: Iterable[Any], last: str = " and ") -> str:
    """`1, 4 and 8`."""
    *others, end = map(str, values)
    return last.join([", ".join(others), end]) if others else end


@dataclass(frozen=True)
class Results:
    """All that the report is drawn from.

    `statistics` holds the summaries of activation statistics by study, `manifests` those of the
    data sets by name, `trained` the record files of the networks that are kept by key, relative to
    `artifacts`.
    """

    studies: tuple[Study, ...]
    statistics: dict[str, Json]
    manifests: dict[str, Json]
    trained: dict[str, Path]

    def of_kind(self, kind: str) -> list[Study]:
        return [study for study in self.studies if study.kind == kind]

    def best(self) -> list[tuple[Study, Point]]:
        """One point a network: its study of kind `best` or `network`, else the full method of its
        ablation.

        Test accuracy chooses nothing here: the last point of the ablation is the full method.
        """
        chosen: dict[str, tuple[Study, Point]] = {}
        for study, point in self.full_methods():
            chosen.setdefault(study.network, (study, point))
        return list(chosen.values())

    def full_methods(self) -> list[tuple[Study, Point]]:
        """The last points of all studies of kind `best`, of `network`, which are of other networks
        and choose no toggle, then of `ablation`, by data set."""
        kinds = ("best", "network", "ablation")
        studies = [study for kind in kinds for study in self.of_kind(kind)]
        return sorted(((study, study.points[-1]) for study in studies), key=lambda p: _rank(p[0]))


def chosen_point(study: Study) -> Point:
    """The point that validation images choose of a selection: the one whose answers are most often
    the ANN's; the first of equals."""
    return max(study.points, key=lambda point: float(point.metrics["agreement"]))


def scale_percentile(toggles: Json) -> float | None:
    """The percentile that a layer's scale is, 100 where it is the maximum; None where there is no
    one scale of a layer's own."""
    if toggles["normalization"] == "max":
        return MAXIMUM
    return float(toggles["percentile"]) if toggles["normalization"] == "percentile" else None


def saturating_shares(point: Point) -> dict[str, float]:
    """The share of calibration activations above its scale, for every neuron layer in the
    network's order."""
    layers = point.conversion.details.get("layers", []) if point.conversion else []
    return {
        layer["name"]: layer["saturating"]
        for layer in layers
        if layer.get("saturating") is not None
    }


def outliers(point: Point) -> dict[str, tuple[float, float]]:
    """(largest, 99.9th percentile of the non-zero ones) of the calibration activations of every
    neuron layer, in the network's order."""
    if point.conversion is None:
        return {}
    found = point.conversion.details.get("outliers", {})
    return {
        name: (found[name]["largest"], found[name]["percentile_99.9"])
        for name in saturating_shares(point)
        if name in found and found[name]["percentile_99.9"] > 0
    }


def read_results(artifacts: Path) -> Results:
    """The studies under `artifacts/simulation` with all that belongs to them.

    Raises:
        ValueError: a file is broken, or does not belong where it lies.
        FileNotFoundError: there is no study at all, or a file that a study names is missing.
    """
    files = sorted((artifacts / "simulation").glob("*/study.json"))
    if not files:
        raise FileNotFoundError(f"no study under {artifacts / 'simulation'}: run `dvc repro` first")
    studies = [_read_study(artifacts, path.parent) for path in files]
    statistics = {
        path.parent.name: read_json(path)
        for path in sorted((artifacts / "conversion").glob("*/statistics.json"))
    }
    manifests = {
        str(content["name"]): content
        for path in sorted((artifacts / "data").glob("*/manifest.json"))
        for content in [read_json(path)]
    }
    trained = {
        Record.read(path).key: path.relative_to(artifacts)
        for path in sorted((artifacts / "ann").glob("*/record.json"))
    }
    return Results(tuple(sorted(studies, key=_rank)), statistics, manifests, trained)


def _rank(study: Study) -> tuple[int, str, int, str]:
    dataset = DATASETS.index(study.dataset) if study.dataset in DATASETS else len(DATASETS)
    kind = KINDS.index(study.kind) if study.kind in KINDS else len(KINDS)
    return (dataset, study.dataset, kind, study.name)


def _read_study(artifacts: Path, folder: Path) -> Study:
    path = folder / "study.json"
    content = read_json(path)
    missing = {"study", "title", "kind", "network", "dataset", "order", "labels"} - set(content)
    if missing:
        raise ValueError(f"{path} is not a study: it lacks {', '.join(sorted(missing))}")
    points = tuple(
        _read_point(artifacts, folder.name, name, key, content["labels"].get(name, name))
        for name, key in content["order"]
    )
    if not points:
        raise ValueError(f"{path} has no points")
    words = {name: str(content[name]) for name in ("title", "kind", "network", "dataset")}
    return Study(name=folder.name, points=points, **words)


def _read_point(artifacts: Path, study: str, name: str, key: str, label: str) -> Point:
    relative = Path("simulation") / study / f"{name}.json"
    record = Record.read(artifacts / relative)
    if record.key != key:
        raise ValueError(
            f"{artifacts / relative} has the key {record.key[:12]}, its study names {key[:12]}"
        )
    missing = [metric for metric in NEEDED_METRICS if metric not in record.metrics]
    if missing:
        raise ValueError(f"{artifacts / relative} lacks the metrics {', '.join(missing)}")
    converted = artifacts / "conversion" / study / f"{name}.json"
    conversion = Record.read(converted) if converted.is_file() else None
    return Point(name, label, relative, record, conversion)
