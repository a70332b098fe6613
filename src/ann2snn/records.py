"""One key for one result, and the store that keeps results by key.

key = sha256(step, its toggles that are not neutral, keys of its inputs, code that computes it)

A result is a folder `store/<step>/<key>` with `record.json` (deterministic: key, parents, settings,
metrics, curves), `provenance.json` (machine, versions, duration: never compared) and the step's own
files, which `files.json` notes. It is made under a temporary name and renamed, so what bears a key
is whole; what has been damaged since is noticed, set aside as `<key>.damaged` and made again. The
folder `store/<step>/<key>.partial` keeps what a killed run can go on from.
"""

import contextlib
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock

from ann2snn.noted_files import (
    file_sha256,
    is_noted,
    known,
    note_files,
    read_json,
    write_json,
    wrong_files,
)

__all__ = [
    "MACHINES", "NO_RECORDS", "Json", "Record", "Store", "file_sha256", "known", "made_on",
    "noted_machines", "read_json", "record_files", "run_key", "write_json",
]  # fmt: skip

Json = dict[str, Any]
NO_RECORDS = ("study.json", "statistics.json", "manifest.json")
MACHINES = Path("artifacts") / "machines.json"


def run_key(step: str, settings: Json, parents: Mapping[str, str], code: str) -> str:
    """The key of a result: 64 hexadecimal digits."""
    content = {"step": step, "settings": settings, "parents": dict(parents), "code": code}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def canonical_json(content: Any) -> str:
    """JSON with one spelling for equal content; NaN and infinity are refused."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


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
            record = Record(**read_json(path))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a record: {error}") from error
        for field in fields(Record):
            kind = str if field.name in ("step", "key") else dict
            if not isinstance(getattr(record, field.name), kind):
                raise ValueError(f"{path} is not a record: its {field.name} is no {kind.__name__}")
        return record


@dataclass(frozen=True)
class Store:
    """Results by step and key under `root`."""

    root: Path

    def folder(self, step: str, key: str) -> Path:
        """Where the result of `key` is, or will be."""
        return self.root / step / key

    def has(self, step: str, key: str) -> bool:
        """Whether the result is there, whole."""
        return self.is_there(step, key) and not self.wrong(step, key)

    def is_there(self, step: str, key: str) -> bool:
        """Whether there is a result of this key, be it whole or not."""
        return (self.folder(step, key) / "record.json").is_file()

    def wrong(self, step: str, key: str, *, wholly: bool = False) -> tuple[str, ...]:
        """What is wrong with the files of a result, in words; empty if it is whole. One that was
        made before files were noted is noted now, if its record is of this key and knows no
        better. `wholly` hashes large files too, whatever their times."""
        folder, owner = self.folder(step, key), f"{step} {key}"
        if not is_noted(folder):
            wrong = _wrong_record(folder, step, key)
            if wrong:
                return wrong
            with contextlib.suppress(OSError):  # a store that can only be read
                note_files(folder, owner)
            return ()
        return wrong_files(folder, owner, wholly)

    def records(self) -> list[Path]:
        """The record files of all whole results, by step and key."""
        return sorted(
            path for path in self.root.glob("*/*/record.json") if "." not in path.parent.name
        )

    def folders(self, step: str) -> list[Path]:
        """All folders of a step: of results, and what a kill or damage left beside them."""
        return sorted(path for path in (self.root / step).glob("*") if path.is_dir())

    @contextlib.contextmanager
    def lock(self, step: str, key: str) -> Iterator[None]:
        """Holds `key` against other processes; a killed one lets go by itself."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{step}-{key}.lock"
        with FileLock(path):
            try:
                yield
            finally:  # who waits for a file that is gone by now looks again, and makes one anew
                path.unlink(missing_ok=True)

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
            self._set_aside(step, key)
            temporary = folder.with_name(f"{key}.new")
            partial = folder.with_name(f"{key}.partial")
            shutil.rmtree(temporary, ignore_errors=True)
            try:
                temporary.mkdir(parents=True)
                partial.mkdir(exist_ok=True)
                produce(temporary, partial)
                assert (temporary / "record.json").is_file(), f"{step} left no record"
                note_files(temporary, f"{step} {key}")
                temporary.replace(folder)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                with contextlib.suppress(OSError):
                    partial.rmdir()  # there is nothing in it to go on from
                raise
            shutil.rmtree(partial, ignore_errors=True)
        return folder

    def _set_aside(self, step: str, key: str) -> None:
        """Gives a damaged result another name, and tells so."""
        folder = self.folder(step, key)
        if not folder.exists():
            return
        wrong = self.wrong(step, key) if self.is_there(step, key) else ("record.json is missing",)
        aside = folder.with_name(f"{key}.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        folder.replace(aside)
        print(
            f"{folder} is damaged: {'; '.join(wrong)}; it is set aside as {aside.name} and made"
            " again",
            file=sys.stderr,
            flush=True,
        )


def _wrong_record(folder: Path, step: str, key: str) -> tuple[str, ...]:
    """What the record itself tells is wrong with a result, in words."""
    try:
        record = Record.read(folder / "record.json")
    except (OSError, ValueError) as error:
        return (str(error),)
    if record.step != step or (step != "data" and record.key != key):
        return (f"record.json is that of {record.step} {record.key}",)
    files = record.details.get("files", {})
    if not isinstance(files, dict):
        return ("record.json names no files",)
    return tuple(
        f"{name} is not the file that record.json names"
        for name, digest in files.items()
        if not (folder / name).is_file() or file_sha256(folder / name) != digest
    )


def record_files(project: Path, step: str = "*") -> list[Path]:
    """The files of all records that git keeps, of one step or of all."""
    found = sorted((project / "artifacts").glob(f"{step}/*/*.json"))
    return [path for path in found if path.name not in NO_RECORDS]


def noted_machines(project: Path) -> Json:
    """On what the results that git keeps were computed, by place under `artifacts`."""
    path = project / MACHINES
    return read_json(path) if path.is_file() else {}


def made_on(path: Path, machines: Json) -> Json:
    """Machine, versions and duration of the result of a record's file, as far as they are known:
    by its provenance, else by `machines`, as `noted_machines` gives them."""
    beside = path.with_name("provenance.json")
    if beside.is_file():
        return read_json(beside)
    noted: Json = machines.get("/".join(path.parts[-3:-1]), {})
    return noted
