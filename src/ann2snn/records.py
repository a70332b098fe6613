"""One key for one result, and the store that keeps results by key.

key = sha256(step, its toggles that are not neutral, keys of its inputs, code that computes it)

A result is a folder `store/<step>/<key>` with `record.json` (deterministic: key, parents, settings,
metrics, curves), `provenance.json` (machine, versions, duration: never compared) and the step's own
files. It is made under a temporary name and renamed, so what bears a key is whole. The folder
`store/<step>/<key>.partial` keeps what a killed run can go on from.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from ann2snn.numerics.atomic_files import whole_file

Json = dict[str, Any]


def run_key(step: str, settings: Json, parents: Mapping[str, str], code: str) -> str:
    """The key of a result: 64 hexadecimal digits."""
    content = {"step": step, "settings": settings, "parents": dict(parents), "code": code}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def canonical_json(content: Any) -> str:
    """JSON with one spelling for equal content; NaN and infinity are refused."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Record:
    """What a step found: the deterministic part of a result.

    `settings` holds the step's toggles and those of the steps before it, by step; `parents` the
    keys of its inputs, by step; `metrics` single numbers (or null); `curves` numbers by step of
    time or epoch; `description` words for people (data set, network).
    """

    step: str
    key: str
    parents: dict[str, str]
    settings: Json
    description: dict[str, str]
    metrics: Json
    curves: dict[str, list[float]]
    details: Json

    def write(self, path: Path) -> None:
        """Writes `path` at once or not at all."""
        write_json(path, self.__dict__)

    @staticmethod
    def read(path: Path) -> "Record":
        """The record at `path`.

        Raises:
            ValueError: it is not a record.
        """
        try:
            return Record(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is not a record: {error}") from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON with sorted keys, a line for each entry, at once or not at all."""
    lines = [
        f" {json.dumps(name)}: {json.dumps(content[name], sort_keys=True, allow_nan=False)}"
        for name in sorted(content)
    ]
    with whole_file(path) as file:
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


@dataclass(frozen=True)
class Store:
    """Results by step and key under `root`."""

    root: Path

    def folder(self, step: str, key: str) -> Path:
        """Where the result of `key` is, or will be."""
        return self.root / step / key

    def has(self, step: str, key: str) -> bool:
        """Whether the result is there, whole."""
        return (self.folder(step, key) / "record.json").is_file()

    def records(self) -> list[Path]:
        """The record files of all whole results, by step and key."""
        return sorted(
            path for path in self.root.glob("*/*/record.json") if "." not in path.parent.name
        )

    @contextlib.contextmanager
    def lock(self, step: str, key: str) -> Iterator[None]:
        """Holds `key` against other processes; a killed one lets go by itself."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{step}-{key}.lock"):
            yield

    def obtain(self, step: str, key: str, produce: Callable[[Path, Path], None]) -> Path:
        """The folder of the result, which `produce(folder, partial)` fills if it is not there.

        `partial` is a folder that outlives a kill and is removed once the result is whole.
        """
        folder = self.folder(step, key)
        if self.has(step, key):
            return folder
        with self.lock(step, key):
            if self.has(step, key):
                return folder
            temporary = folder.with_name(f"{key}.new")
            partial = folder.with_name(f"{key}.partial")
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            partial.mkdir(exist_ok=True)
            produce(temporary, partial)
            assert (temporary / "record.json").is_file(), f"{step} left no record"
            shutil.rmtree(folder, ignore_errors=True)
            temporary.replace(folder)
            shutil.rmtree(partial, ignore_errors=True)
        return folder
