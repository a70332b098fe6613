"""The runs that MLflow is to show, worked out from a project's files alone."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ann2snn.records import Json, Record, canonical_json
from ann2snn.tracking.model_files import SPEC, Network
from ann2snn.tracking.naming import (
    experiment_name,
    metric_points,
    parameters,
    run_name,
    varying_parameters,
)
from ann2snn.tracking.studies_and_sweeps import Group, groups_of

SHOWN = ("ann", "conversion", "simulation")
PROVENANCE = (
    "git_commit", "git_dirty", "python", "threads", "processor", "accelerator", "system", "seconds",
)  # fmt: skip
Found = dict[str, tuple[Record, Path]]  # records and their files, by run key


@dataclass(frozen=True)
class Entry:
    """One run: `key` is its run key, `parent` the key of the run that it is nested under.

    `links` are the keys of its inputs, by step; `files` are artifacts by name; `network` is a
    conversion's, if its spec is at hand.
    """

    key: str
    step: str
    dataset: str
    name: str
    parameters: dict[str, str]
    metrics: list[tuple[str, float, int]]
    tags: dict[str, str]
    files: dict[str, bytes | Path]
    seconds: float = 0.0
    parent: str = ""
    links: dict[str, str] = field(default_factory=dict)
    manifest: Json = field(default_factory=dict)
    network: Network | None = None

    @property
    def is_result(self) -> bool:
        """Whether it is a result's run, not the parent of a study or a sweep."""
        return "/" not in self.key

    @property
    def experiment(self) -> str:
        return experiment_name(self.dataset, self.step)

    @cached_property
    def content(self) -> str:
        """A hash of all that the run shows; where MLflow has the same, there is nothing to send."""
        digest = hashlib.sha256()
        for part in (self.name, self.parameters, self.metrics, self.tags, self.parent):
            digest.update(canonical_json(part).encode())
        for name, file in sorted(self.files.items()):
            data = file if isinstance(file, bytes) else file.read_bytes()
            digest.update(f"{name} {hashlib.sha256(data).hexdigest()}".encode())
        return digest.hexdigest()[:16]


def read_entries(project: Path) -> list[Entry]:
    """All runs of a project: parents before children, inputs before what was made from them.

    Raises:
        ValueError: a record, study.json or sweep.json cannot be read; it is named.
    """
    found = dict(_records(project))
    data = {key: pair for key, pair in found.items() if pair[0].step == "data"}
    shown = {key: pair for key, pair in found.items() if pair[0].step in SHOWN}
    groups = [
        group
        for group in groups_of(project)
        if group.step in SHOWN and any(key in shown for key in group.keys)
    ]
    entries = [_group_entry(group, shown) for group in groups]
    for step in SHOWN:
        ordered = _in_display_order(step, shown, groups)
        entries += [_entry(*shown[key], groups, shown, data) for key in ordered]
    return entries


def _records(project: Path) -> Iterator[tuple[str, tuple[Record, Path]]]:
    """Every record by key; the store's copy last, for it has its provenance beside it."""
    kept = sorted((project / "artifacts").glob("*/*/*.json"))
    kept = [path for path in kept if path.name not in ("study.json", "statistics.json")]
    stored = sorted((project / "store").glob("*/*/record.json"))
    for path in kept + [path for path in stored if "." not in path.parent.name]:
        if path.parent.parent.name == "data" and path.name != "record.json":
            continue
        record = Record.read(path)
        yield record.key, (record, path)


def _in_display_order(step: str, shown: Found, groups: list[Group]) -> list[str]:
    """Keys of a step, last point first: MLflow lists the latest run first."""
    own = {key for key, (record, _) in shown.items() if record.step == step}
    ordered = [key for group in groups for key in reversed(group.keys) if key in own]
    return list(dict.fromkeys([*sorted(own - set(ordered)), *ordered]))


def _entry(record: Record, path: Path, groups: list[Group], shown: Found, data: Found) -> Entry:
    member = [group for group in groups if record.key in group.keys]
    neighbours = [shown[key][0] for key in member[0].keys if key in shown] if member else []
    dataset = record.description["dataset"]
    made_from = data.get(record.parents.get("data", ""))
    manifest = made_from[0].details["manifest"] if made_from else {}
    beside = path.with_name("provenance.json")
    made: Json = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    tags = {
        "run_key": record.key,
        "step": record.step,
        "dataset": dataset,
        "studies": ", ".join(group.name for group in member if group.kind == "study"),
        "sweeps": ", ".join(group.name for group in member if group.kind == "sweep"),
        "label": member[0].label(record.key) if member else "",
        "mlflow.source.name": f"ann2snn.pipeline.{record.step}",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": str(made.get("git_commit") or ""),
        **{f"data_sha256.{part}": str(own) for part, own in manifest.get("sha256", {}).items()},
        **{name: str(made[name]) for name in PROVENANCE if made.get(name) is not None},
        **{f"version.{name}": version for name, version in made.get("versions", {}).items()},
    }
    return Entry(
        key=record.key,
        step=record.step,
        dataset=dataset,
        name=run_name(record, varying_parameters(neighbours)),
        parameters=parameters(record),
        metrics=metric_points(record),
        tags={name: value for name, value in tags.items() if value},
        files=_files(record, path),
        seconds=float(made.get("seconds", 0.0)),
        parent=member[0].key if member else "",
        links={step: key for step, key in record.parents.items() if step in SHOWN},
        manifest=manifest,
        network=_network(record, path, made_from[1] if made_from else None, manifest),
    )


def _network(record: Record, path: Path, data: Path | None, manifest: Json) -> Network | None:
    """The network of a conversion that the store has; git keeps conversions' records alone."""
    spec = path.with_name(SPEC)
    if record.step != "conversion" or not spec.is_file():
        return None
    images = data.with_name("test_images.npy") if data else None
    return Network(
        name=record.description["network"],
        spec=spec,
        images=images if images and images.is_file() else None,
        classes=tuple(map(str, manifest.get("classes", ()))),
    )


def _files(record: Record, path: Path) -> dict[str, bytes | Path]:
    beside = [path.with_name(name) for name in record.details.get("files", {})]
    files = {"record.json": path, **{file.name: file for file in beside if file.is_file()}}
    layers = record.details.get("layers")
    return {**files, "layers.csv": table(layers)} if layers else {**files}


def table(rows: list[Json]) -> bytes:
    """Rows as CSV; the columns are those of all rows, in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _group_entry(group: Group, shown: Found) -> Entry:
    """The parent run of a study or a sweep, with its table and figures."""
    records = [shown[key][0] for key in group.keys if key in shown]
    dataset = records[0].description["dataset"]
    varying = varying_parameters(records)
    rows = [
        {
            "point": group.label(record.key),
            **{name: parameters(record).get(name, "") for name in varying},
            **record.metrics,
            "run_key": record.key,
        }
        for record in records
    ]
    return Entry(
        key=group.key,
        step=group.step,
        dataset=dataset,
        name=f"{group.kind} {group.name}",
        parameters={},
        metrics=[],  # a parent's own numbers would stand among its points' in every chart
        tags={
            "run_key": group.key,
            "step": group.step,
            "dataset": dataset,
            group.kind: group.name,
            "mlflow.note.content": group.description,
        },
        files={"points.csv": table(rows), **group.files},
    )
