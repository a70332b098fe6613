"""An `artifacts` folder with invented numbers, for tests of the report only."""

import hashlib
from collections.abc import Mapping
from math import exp
from pathlib import Path
from typing import Any

from ann2snn.records import Record, write_json

ABLATION = {
    "default": ("Poisson input, reset to zero, no normalization", "poisson", "zero", "none", 16.0),
    "max-norm": ("+ max-norm", "poisson", "zero", "max", 61.5),
    "subtraction": ("+ reset by subtraction", "poisson", "subtract", "max", 80.25),
    "analog-input": ("+ analog input", "analog", "subtract", "max", 84.0),
    "percentile-99.9": ("+ 99.9th percentile", "analog", "subtract", "percentile", 88.4),
}
PERCENTILES = {
    "default": ("default", "poisson", "zero", "none", 16.0),
    "max-norm": ("max-norm", "poisson", "zero", "max", 61.5),
    "p95": ("95th percentile", "analog", "subtract", "percentile", 84.0),
    "p99": ("99th percentile", "analog", "subtract", "percentile", 88.1),
    "p99.9": ("99.9th percentile", "analog", "subtract", "percentile", 88.4),
    "p99.999": ("99.999th percentile", "analog", "subtract", "percentile", 88.3),
    "p100": ("maximum", "analog", "subtract", "percentile", 87.0),
}
POOLINGS = {
    name: (name.replace("_", " "), "analog", "subtract", "percentile", final)
    for name, final in {
        "rise": 88.5, "inverse_time": 88.4, "running_mean": 88.2, "exponential": 87.9,
        "average": 85.0, "spikes": 78.0,
    }.items()
}  # fmt: skip
OUTPUTS = {"all": ("all from one run", "analog", "subtract", "percentile", 88.4)}
ARCHITECTURE = {
    f"{name}-{seed}": (label, "analog", "subtract", "percentile", final + 0.3 * seed)
    for name, (label, final) in {
        "full": ("four convolutions", 88.0),
        "spiking-average": ("averages in the SNN alone", 57.0),
        "no-bias": ("biases held at zero", 87.5),
        "average": ("average-pooling", 85.8),
        "relu": ("ReLU outputs", 66.0),
    }.items()
    for seed in (0, 1, 2)
}
THEORY = {
    "subtract": ("maximum, subtraction", "analog", "subtract", "max", 88.0),
    "zero": ("maximum, to zero", "analog", "zero", "max", 70.0),
    "poisson": ("maximum, Poisson input", "poisson", "subtract", "max", 80.0),
}
SELECTION = {
    "layer": ("a scale a layer", "analog", "subtract", "percentile", 88.1),
    "channel": ("a scale a channel", "analog", "subtract", "channel", 88.3),
}
FEW_STEPS = {
    "layer": ("a scale a layer", "analog", "subtract", "percentile", 88.0),
    "channel": ("a scale a channel", "analog", "subtract", "channel", 88.3),
}
BEST = {"full": ("by channel", "analog", "subtract", "channel", 88.45)}
BATCH_NORM = {
    "normalized": ("with batch normalization", "analog", "subtract", "percentile", 88.0),
    "plain": ("without", "analog", "subtract", "percentile", 84.0),
}
SOURCE = "invented for a test"
STEPS = 300
IMAGES = 10_000
Points = Mapping[str, tuple[str, str, str, str, float]]


def example_artifacts(root: Path, dataset: str = "CIFAR-10 (JPEG copy)") -> Path:
    """Studies of every kind that has a figure, for one network on `dataset`."""
    artifacts = root / "artifacts"
    manifest = {"name": dataset, "source": SOURCE, "counts": {"test": IMAGES}}
    write_json(artifacts / "data" / "example" / "manifest.json", manifest)
    studies: dict[str, tuple[str, Points]] = {
        "example-ablation": ("ablation", ABLATION),
        "example-percentiles": ("percentiles", PERCENTILES),
        "example-poolings": ("poolings", POOLINGS),
        "example-outputs": ("outputs", OUTPUTS),
        "example-architecture": ("architecture", ARCHITECTURE),
        "example-theory": ("theory", THEORY),
        "example-batch-norm": ("batch-norm", BATCH_NORM),
        "example-selection": ("selection", SELECTION),
        "example-best": ("best", BEST),
        "example-few-steps": ("few-steps", FEW_STEPS),
    }
    titles = {
        "ablation": "What each mechanism adds",
        "percentiles": "Accuracy against time for several percentiles",
        "poolings": "Poolings",
        "outputs": "Outputs",
        "architecture": "Contribution of the architecture",
        "theory": "Rates and activations",
        "batch-norm": "Outliers",
        "selection": "Chosen by validation images",
        "best": "The full method",
        "few-steps": "What each mechanism adds after few steps",
    }
    for study, (kind, points) in studies.items():
        write_study(artifacts, study, kind, titles[kind], dataset, points)
    return artifacts


def write_study(
    artifacts: Path, study: str, kind: str, title: str, dataset: str, points: Points
) -> None:
    """The study's records of conversion and simulation, its study.json and its statistics."""
    keys = {}
    for place, (name, (_, source, reset, scale, final)) in enumerate(points.items()):
        record = simulation_record(study, name, dataset, place, source, reset, scale, final)
        record.write(artifacts / "simulation" / study / f"{name}.json")
        conversion_record(record).write(artifacts / "conversion" / study / f"{name}.json")
        keys[name] = record.key
    content = {
        "study": study, "title": title, "kind": kind, "network": "example", "dataset": dataset,
        "order": [[name, key] for name, key in keys.items()], "points": keys,
        "labels": {name: values[0] for name, values in points.items()},
    }  # fmt: skip
    write_json(artifacts / "simulation" / study / "study.json", content)
    write_json(artifacts / "conversion" / study / "statistics.json", statistics_summary())


def statistics_summary() -> dict[str, Any]:
    """One layer whose activations fall off as exp(-a), with outliers up to 9."""
    edges = [0.15 * place for place in range(61)]
    fall = [int(200_000 * exp(-edge)) + 3 for edge in edges[:-1]]
    hump = [int(900 * exp(-((edge - 3.2) ** 2))) for edge in edges[:-1]]
    first = {
        "count": 10**6, "nonzero": sum(fall), "max": 9.0,
        "percentiles": {"99.9": 3.1}, "histogram": {"edges": edges, "counts": fall},
        "image_maxima": {"edges": edges, "counts": hump},
    }  # fmt: skip
    second = {**first, "max": 12.0, "percentiles": {"99.9": 2.9}}
    return {"a second layer, before the first by name": second, "first": first}


def simulation_record(
    study: str, name: str, dataset: str, place: int, source: str, reset: str, scale: str,
    final: float,
) -> Record:  # fmt: skip
    """A plausible run: accuracy rises from chance to `final`, sooner for earlier points."""
    delay = 14 + 9 * place
    curve = [
        round(10 + (final - 10) * (1 - exp(-((step / delay) ** 1.6))), 2)
        for step in range(1, STEPS + 1)
    ]
    ann = {"network": "cifar10_cnn", "pooling": "max", "bias": True, "output": "softmax", "seed": 0,
           "final": True, "learning_rate": 0.2, "epochs": 12, "weights": ""}  # fmt: skip
    if study.endswith("architecture"):
        variant, _, seed = name.rpartition("-")
        ann |= {"seed": int(seed), "bias": variant in ("full", "spiking-average")}
        ann |= {"pooling": "average"} if variant in ("average", "relu") else {}
        ann |= {"output": "relu"} if variant == "relu" else {}
    percentile = float(name[1:]) if name[0] == "p" and name[1].isdigit() else 99.9
    metrics: dict[str, Any] = {
        "snn_accuracy": final, "ann_accuracy": 88.5, "interval_low": final - 0.6,
        "interval_high": final + 0.6, "snn_accuracy_last50": final - 0.05, "images": IMAGES,
        "steps": STEPS, "steps_to_99": 120 if final > 87.7 else None, "spikes_per_neuron": 14.25,
        "mean_rate": 0.0475, "synops_per_image": 3.2e8, "macs_per_image": 20_400_000,
        "first_layer_macs": 884_736, "accuracy_potential": final + 0.1,
        "undecided": 1.5 if final < 20 else 0.0, "exact": True,
        "agreement": min(98.0 + 0.5 * place, 100.0), "accuracy_count": final - 0.2,
    }  # fmt: skip
    return Record(
        step="simulation",
        key=hashlib.sha256(f"{study}/{name}".encode()).hexdigest(),
        parents={"ann": hashlib.sha256(str(ann).encode()).hexdigest()},
        settings={
            "data": {}, "ann": ann,
            "conversion": {"input": source, "reset": reset, "normalization": scale,
                           "percentile": percentile},
            "simulation": {"steps": STEPS, "images": 0, "seed": 0,
                           "part": "validation" if study.endswith("selection") else "test"},
        },
        description={"dataset": dataset, "network": "cifar10_cnn"},
        metrics=metrics,
        curves={
            "accuracy": curve,
            "accuracy_softmax": curve,
            "accuracy_potential": [min(value + 0.4, 88.6) for value in curve],
            "accuracy_count": [0.97 * value for value in curve],
            "early_exit_margin": [0.5, 1.0, 2.0, 4.0],
            "early_exit_steps": [21.0, 40.0, 75.0, 140.0],
            "early_exit_accuracy": [71.0, 82.5, 87.4, 88.3],
            "spikes": [40.0] * STEPS,
            "synops": [3.2e8 / STEPS] * STEPS,
            "spikes/first": [10.0 if scale == "max" else 30.0] * STEPS,
            "spikes/second": [10.0 if scale == "max" else 15.0] * STEPS,
            **(compared_curves() if study.endswith("theory") else {}),
        },
        details=compared_details() if study.endswith("theory") else {},
    )  # fmt: skip


def compared_curves() -> dict[str, list[float]]:
    """Two layers whose rates come closer to their activations as 1/t."""
    steps = range(1, STEPS + 1)
    return {
        **{f"rate_error/{name}": [0.2 / t for t in steps] for name in ("first", "second")},
        **{f"rate_correlation/{name}": [1 - 1 / t for t in steps] for name in ("first", "second")},
    }


def compared_details() -> dict[str, Any]:
    """What goes with `compared_curves`."""
    layer = {
        "active": 0.4, "saturating": 0.01, "staircase": 0.05,
        "bins": [[0.0, 0.1, 500, 0.01], [0.1, 1.0, 200, 0.02]],
        "samples": [[0.05 * place, 0.049 * place] for place in range(20)],
    }  # fmt: skip
    return {"comparison": {"first": layer, "second": layer}}


def conversion_record(simulation: Record) -> Record:
    """A conversion whose layers saturate as its percentile says."""
    toggles = simulation.settings["conversion"]
    share = 1 - toggles["percentile"] / 100
    layers = [
        {"name": "first", "saturating": 0.4 * share},
        {"name": "second", "saturating": share},
        {"name": "output", "saturating": None},
    ]
    return Record(
        step="conversion",
        key=simulation.key[::-1],
        parents={},
        settings={"conversion": toggles},
        description=simulation.description,
        metrics={},
        curves={},
        details={
            "layers": layers,
            "outliers": {
                "first": {"largest": 9.0, "percentile_99.9": 3.0},
                "second": {"largest": 4.0, "percentile_99.9": 3.0 + toggles["percentile"] / 100},
            },
        },
    )
