"""A run as MLflow is to show it."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ann2snn.records import Json, canonical_json
from ann2snn.tracking.model_files import Network
from ann2snn.tracking.naming import experiment_name


@dataclass(frozen=True)
class Point:
    """A point of a study or a sweep: its run key, its words, its numbers, and whether it is the
    best."""

    key: str
    label: str
    values: Json
    best: bool


@dataclass(frozen=True)
class Entry:
    """One run: `key` is its run key, `parent` the key of the run that it is nested under.

    `links` are the keys of its inputs, by step; `groups` those of all studies and sweeps that it is
    a point of; `points` are its own, if it is the parent of such; `files` are artifacts by name;
    `seconds` is how long the result took, 0 where nobody knows; `network` is a conversion's, if its
    spec is at hand.
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
    groups: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()
    manifest: Json = field(default_factory=dict)
    network: Network | None = None

    @property
    def is_result(self) -> bool:
        """Whether it is a result's run, not the parent of a study or a sweep."""
        return not self.points

    @property
    def experiment(self) -> str:
        return experiment_name(self.dataset, self.step)

    @cached_property
    def content(self) -> str:
        """A hash of all that the run shows; where MLflow has the same, there is nothing to send."""
        digest = hashlib.sha256()
        points = [(point.key, point.label, point.best) for point in self.points]
        groups, seconds = list(self.groups), self.seconds
        for part in (self.name, self.parameters, self.metrics, self.tags, self.parent):
            digest.update(canonical_json(part).encode())
        digest.update(canonical_json([points, groups, seconds]).encode())
        for name, file in sorted(self.files.items()):
            data = file if isinstance(file, bytes) else file.read_bytes()
            digest.update(f"{name} {hashlib.sha256(data).hexdigest()}".encode())
        return digest.hexdigest()[:16]
