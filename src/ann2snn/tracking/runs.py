"""The runs that MLflow is to show, worked out from a project's files alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ann2snn.records import Json, Record, Store, made_on, noted_machines, record_files
from ann2snn.tracking.colours import colours_of
from ann2snn.tracking.entry import Entry
from ann2snn.tracking.model_files import SPEC, Network
from ann2snn.tracking.naming import (
    experiment_name,
    membership,
    metric_points,
    parameters,
    run_name,
    varying_parameters,
)
from ann2snn.tracking.parents import parent_entry, table
from ann2snn.tracking.studies_and_sweeps import Group, groups_of

SHOWN = ("ann", "conversion", "simulation")
PROVENANCE = (
    "git_commit", "git_dirty", "python", "threads", "processor", "accelerator", "system", "seconds",
)  # fmt: skip
Found = dict[str, tuple[Record, Path]]  # records and their files, by run key


def read_entries(project: Path) -> list[Entry]:
    """All runs of a project: parents before children, inputs before what was made from them.

    Raises:
        ValueError: a record, study.json or sweep.json cannot be read; it is named.
    """
    results = Results(project, dict(_records(project)))
    entries = [results.parent(group) for group in results.groups]
    for step in SHOWN:
        entries += [results.entry(key) for key in results.in_display_order(step)]
    return entries


def _records(project: Path) -> Iterator[tuple[str, tuple[Record, Path]]]:
    """Every record by key; the store's copy last, for it has its provenance beside it."""
    for path in [*record_files(project), *Store(project / "store").records()]:
        record = Record.read(path)
        yield record.key, (record, path)


@dataclass(frozen=True)
class Results:
    """The records of a project, and what is known of each."""

    project: Path
    found: Found

    @cached_property
    def shown(self) -> Found:
        return {key: pair for key, pair in self.found.items() if pair[0].step in SHOWN}

    @cached_property
    def groups(self) -> list[Group]:
        """Studies and sweeps that have results."""
        return [
            group
            for group in groups_of(self.project)
            if group.step in SHOWN and any(key in self.shown for key in group.keys)
        ]

    @cached_property
    def colours(self) -> dict[str, str]:
        """By key: the runs of a group stand together in charts, and so do, on the page of an
        experiment, its groups and the runs that are in none."""
        pages: dict[str, list[str]] = {}
        for group in self.groups:
            first = next(key for key in group.keys if key in self.shown)
            pages.setdefault(_experiment(self.shown[first][0]), []).append(group.key)
        grouped = {key for group in self.groups for key in group.keys}
        for key in sorted(set(self.shown) - grouped):
            pages.setdefault(_experiment(self.shown[key][0]), []).append(key)
        return colours_of([*pages.values(), *(group.keys for group in self.groups)])

    @cached_property
    def _machines(self) -> Json:
        return noted_machines(self.project)

    def made(self, key: str) -> Json:
        """Machine, versions and duration of a result, as far as they are known."""
        return made_on(self.shown[key][1], self._machines)

    def in_display_order(self, step: str) -> list[str]:
        """Keys of a step, last point first: MLflow lists the latest run first."""
        own = {key for key, (record, _) in self.shown.items() if record.step == step}
        ordered = [key for group in self.groups for key in reversed(group.keys) if key in own]
        return list(dict.fromkeys([*sorted(own - set(ordered)), *ordered]))

    def parent(self, group: Group) -> Entry:
        """The parent run of a study or a sweep."""
        there = [key for key in group.keys if key in self.shown]
        seconds = sum(float(self.made(key).get("seconds", 0.0)) for key in there)
        records = [self.shown[key][0] for key in there]
        return parent_entry(group, records, round(seconds, 3), self.colours[group.key])

    def entry(self, key: str) -> Entry:
        """The run of a result."""
        record, path = self.shown[key]
        member = [group for group in self.groups if key in group.keys]
        beside = member[0].keys if member else []
        neighbours = [self.shown[other][0] for other in beside if other in self.shown]
        made = self.made(key)
        return Entry(
            key=key,
            step=record.step,
            dataset=record.description["dataset"],
            name=run_name(record, varying_parameters(neighbours)),
            parameters=parameters(record),
            metrics=metric_points(record),
            tags=self._tags(record, member, made),
            files=_files(record, path),
            seconds=float(made.get("seconds", 0.0)),
            parent=member[0].key if member else "",
            links={step: key for step, key in record.parents.items() if step in SHOWN},
            groups=tuple(group.key for group in member),
            manifest=self._manifest(record),
            network=self._network(record, path),
        )

    def _tags(self, record: Record, member: list[Group], made: Json) -> dict[str, str]:
        manifest = self._manifest(record)
        groups = {
            "studies": [group.name for group in member if group.kind == "study"],
            "sweeps": [group.name for group in member if group.kind == "sweep"],
        }
        tags = {
            "run_key": record.key,
            "step": record.step,
            "dataset": record.description["dataset"],
            **{tag: " ".join(map(membership, names)) for tag, names in groups.items()},
            "label": member[0].label(record.key) if member else "",
            "mlflow.runColor": self.colours[record.key],
            "mlflow.source.name": f"ann2snn.pipeline.{record.step}",
            "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": str(made.get("git_commit") or ""),
            **{f"data_sha256.{part}": str(own) for part, own in manifest.get("sha256", {}).items()},
            **{name: str(made[name]) for name in PROVENANCE if made.get(name) is not None},
            **{f"version.{name}": version for name, version in made.get("versions", {}).items()},
        }
        return {name: value for name, value in tags.items() if value}

    def _manifest(self, record: Record) -> Json:
        """Of the data that a result was made from."""
        data = self.found.get(record.parents.get("data", ""))
        return data[0].details["manifest"] if data else {}

    def _network(self, record: Record, path: Path) -> Network | None:
        """The network of a conversion that the store has; git keeps conversions' records alone."""
        spec = path.with_name(SPEC)
        if record.step != "conversion" or not spec.is_file():
            return None
        data = self.found.get(record.parents.get("data", ""))
        images = data[1].with_name("test_images.npy") if data else None
        return Network(
            name=record.description["network"],
            spec=spec,
            images=images if images and images.is_file() else None,
            classes=tuple(map(str, self._manifest(record).get("classes", ()))),
        )


def _experiment(record: Record) -> str:
    return experiment_name(record.description["dataset"], record.step)


def _files(record: Record, path: Path) -> dict[str, bytes | Path]:
    beside = [path.with_name(name) for name in record.details.get("files", {})]
    files = {"record.json": path, **{file.name: file for file in beside if file.is_file()}}
    layers = record.details.get("layers")
    return {**files, "layers.csv": table(layers)} if layers else {**files}
