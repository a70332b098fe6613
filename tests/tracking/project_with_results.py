"""A project folder with small made-up results: two networks' studies that share a point."""

import hashlib
import math
from pathlib import Path
from typing import Any

from ann2snn.records import Json, Record, write_json
from ann2snn.tracking.server import connect, place_of

STEPS = 20
MANIFEST: Json = {
    "name": "digits",
    "source": "scikit-learn",
    "shape": [1, 8, 8],
    "counts": {"train": 1297, "test": 500},
    "sha256": {"train_images": "a" * 64, "test_images": "b" * 64},
}
PERCENTILES = (95.0, 99.0, 99.9, 100.0)
ABLATION = (
    ("poisson", "zero", "none"),
    ("poisson", "zero", "max"),
    ("poisson", "subtract", "max"),
    ("analog", "subtract", "max"),
    ("analog", "subtract", "percentile"),
)


def key_of(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


def data_record() -> Record:
    return Record(
        "data", key_of("data"), {}, {"data": {"name": "digits", "seed": 0}},
        {"dataset": "digits"}, {"train_images": 1297}, {}, {"manifest": MANIFEST},
    )  # fmt: skip


def ann_record() -> Record:
    losses = [1.0 / epoch for epoch in range(1, 6)]
    return Record(
        step="ann",
        key=key_of("ann"),
        parents={"data": key_of("data")},
        settings={**data_record().settings, "ann": {"network": "digits_cnn", "pooling": "max"}},
        description={"dataset": "digits", "network": "digits_cnn"},
        metrics={"test_accuracy": 98.0, "parameters": 1000, "train_loss": losses[-1]},
        curves={"train_loss": losses},
        details={"files": {"weights.safetensors": "c" * 64}},
    )


def conversion_record(input_: str, reset: str, normalization: str, percentile: float) -> Record:
    toggles = {
        "input": input_, "reset": reset, "normalization": normalization, "percentile": percentile,
        "pooling": "rise", "output": "softmax",
    }  # fmt: skip
    return Record(
        step="conversion",
        key=key_of("conversion", *toggles.values()),
        parents={"data": key_of("data"), "ann": key_of("ann")},
        settings={**ann_record().settings, "conversion": toggles},
        description=ann_record().description,
        metrics={"neurons": 500},
        curves={},
        details={"layers": [{"name": "conv", "kind": "Conv"}, {"name": "relu", "scale": 1.5}]},
    )


def simulation_record(conversion: Record) -> Record:
    percentile = conversion.settings["conversion"]["percentile"]
    speed = 3 + (percentile - 90) / 3
    accuracy = [98 * (1 - math.exp(-step / speed)) for step in range(1, STEPS + 1)]
    simulation = {"steps": STEPS, "images": 500, "seed": 0}
    return Record(
        step="simulation",
        key=key_of("simulation", conversion.key),
        parents={"data": key_of("data"), "ann": key_of("ann"), "conversion": conversion.key},
        settings={**conversion.settings, "simulation": simulation},
        description=conversion.description,
        metrics={"snn_accuracy": accuracy[-1], "ann_accuracy": 98.0, "exact": True, "gone": None},
        curves={
            "accuracy": accuracy,
            "spikes": [10.0 * step for step in range(STEPS)],
            "synops": [99.0] * STEPS,
            "early_exit_accuracy": [97.0, 98.0],
        },
        details={},
    )


def study_points(kind: str) -> dict[str, Record]:
    """The conversions of a study by point; both studies hold that of the 99.9th percentile."""
    if kind == "ablation":
        return {
            f"point-{number}": conversion_record(*toggles, 99.9)
            for number, toggles in enumerate(ABLATION)
        }
    return {
        f"p{value:g}": conversion_record("analog", "subtract", "percentile", value)
        for value in PERCENTILES
    }


def make_project(folder: Path) -> Path:
    """Results as git keeps them: `artifacts/` and `report/figures/`; 17 runs."""
    data = folder / "artifacts" / "data" / "digits"
    data_record().write(data / "record.json")
    write_json(data / "manifest.json", MANIFEST)
    ann = folder / "artifacts" / "ann" / "digits"
    ann_record().write(ann / "record.json")
    (ann / "weights.safetensors").write_bytes(b"weights")
    for kind in ("ablation", "percentiles"):
        points = study_points(kind)
        write_study(folder, "conversion", kind, points)
        simulated = {name: simulation_record(record) for name, record in points.items()}
        write_study(folder, "simulation", kind, simulated)
    figures = folder / "report" / "figures"
    figures.mkdir(parents=True)
    (figures / "digits-percentiles.csv").write_text("step,accuracy\n1,10\n", encoding="utf-8")
    return folder


def write_study(folder: Path, step: str, kind: str, points: dict[str, Record]) -> None:
    study = folder / "artifacts" / step / f"digits-{kind}"
    for name, record in points.items():
        record.write(study / f"{name}.json")
    write_json(study / "statistics.json", {"layers": []})
    content = {
        "study": f"digits-{kind}",
        "title": f"The {kind}",
        "kind": kind,
        "network": "digits",
        "dataset": "digits",
        "order": [[name, record.key] for name, record in points.items()],
        "points": {name: record.key for name, record in points.items()},
        "labels": {name: f"label of {name}" for name in points},
    }
    write_json(study / "study.json", content)


def store_results(folder: Path) -> None:
    """Puts the same results into the keyed store, with provenance, as a live project has them."""
    for path in sorted((folder / "artifacts").glob("*/*/*.json")):
        if path.name in ("study.json", "statistics.json", "manifest.json"):
            continue
        record = Record.read(path)
        home = folder / "store" / record.step / record.key
        record.write(home / "record.json")
        made = {"git_commit": "abc123", "git_dirty": False, "threads": 2, "seconds": 1.5}
        write_json(home / "provenance.json", {**made, "versions": {"torch": "2.15.0"}})
        for name in record.details.get("files", {}):
            (home / name).write_bytes((path.parent / name).read_bytes())


def write_sweep(folder: Path, records: list[Record]) -> None:
    points: list[Json] = [
        {"label": f"point {n}", "overrides": [], "key": record.key, "status": "done", "error": None}
        for n, record in enumerate(records)
    ]
    points.append({"label": "bad", "overrides": [], "key": None, "status": "failed", "error": "no"})
    write_json(
        folder / "store" / "sweeps" / "s1" / "sweep.json",
        {"name": "s1", "step": "simulation", "overrides": ["a=1,2"], "axes": {}, "points": points},
    )


def runs_of(project: Path) -> dict[str, Any]:
    """The runs of a project's own store by run key; a key with two runs is an error."""
    client = connect(place_of(project))
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(experiments, max_results=1000)
    keys = [run.data.tags["run_key"] for run in found]
    assert len(keys) == len(set(keys))
    return dict(zip(keys, found, strict=True))


RUNS = 1 + 2 * 8 + 2 * 2  # a training; eight points converted and simulated; two studies of each
# the point of two studies
SHARED = simulation_record(conversion_record("analog", "subtract", "percentile", 99.9))
