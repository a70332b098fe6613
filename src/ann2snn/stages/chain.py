"""One configuration's way from raw data to a simulation: keys of all steps, results on demand.

A result comes from the store; else from `artifacts/`, where git keeps records and trained weights;
else its step computes it. DVC stages, single runs and sweeps all go this way, so none of them
computes what another has.
"""

import importlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

from ann2snn.records import Json, Record, Store, file_sha256, run_key, write_json
from ann2snn.stages.code import code_identity
from ann2snn.stages.configuration import Settings
from ann2snn.stages.provenance import provenance

PARENTS: dict[str, tuple[str, ...]] = {
    "data": (),
    "ann": ("data",),
    "statistics": ("data", "ann"),
    "conversion": ("data", "ann", "statistics"),
    "simulation": ("data", "ann", "conversion"),
}


class StepModule(Protocol):
    """What a stage module offers the chain."""

    def settings(self, settings: Settings) -> Json:
        """The toggles that shape this step's own result."""

    def produce(self, chain: "Chain", folder: Path, partial: Path) -> Record:
        """Fills `folder` and returns the record; `partial` outlives a kill."""


def step_module(step: str) -> StepModule:
    return cast(StepModule, importlib.import_module(f"ann2snn.stages.{step}"))


def data_root() -> Path:
    """Where raw data are or are put: the environment's DATA_ROOT, else `data`, absolute."""
    return Path(os.environ.get("DATA_ROOT") or "data").absolute()


@dataclass(frozen=True)
class Chain:
    """The steps of one configuration in the project folder `project`."""

    settings: Settings
    project: Path = field(default_factory=Path.cwd)

    @property
    def store(self) -> Store:
        return Store(self.project / "store")

    def key(self, step: str) -> str:
        """The run key of a step; that of data is the hash of its manifest's content.

        Two folders of equal images are one data set, and CIFAR-10 is not its JPEG copy.
        """
        if step == "data":
            return self._data_key
        return self._keys(step)

    def _keys(self, step: str) -> str:
        parents = {parent: self.key(parent) for parent in PARENTS[step]}
        own = step_module(step).settings(self.settings)
        return run_key(step, own, parents, code_identity(step))

    @cached_property
    def _data_key(self) -> str:
        return manifest_key(self.manifest)

    @cached_property
    def manifest(self) -> Json:
        """The manifest of the data, which are loaded only if neither store nor git has it."""
        if self._committed_data is not None and not self._holds_data():
            return cast(Json, self._committed_data.details["manifest"])
        path = self.obtain("data") / "manifest.json"
        return cast(Json, json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def _committed_data(self) -> Record | None:
        """The record in git of this data set, unless other raw data than its own are there."""
        own = step_module("data").settings(self.settings)
        for path in sorted((self.project / "artifacts" / "data").glob("*/record.json")):
            record = Record.read(path)
            if record.settings["data"] == own and self._source in ("", record.details["raw"]):
                return record
        return None

    @cached_property
    def _source(self) -> str:
        from ann2snn.data.fingerprint import fingerprint

        return fingerprint(self.settings.data, data_root())

    def _holds_data(self) -> bool:
        return self.store.has("data", self._data_store_key)

    @cached_property
    def _data_store_key(self) -> str:
        own = step_module("data").settings(self.settings)
        raw = self._source
        if not raw and self._committed_data is not None:
            raw = self._committed_data.details["raw"]
        return run_key("data", {**own, "raw": raw}, {}, code_identity("data"))

    def done(self, step: str) -> bool:
        """Whether the result of a step is there already, in the store or in `artifacts`."""
        if step == "data":
            return self._holds_data()
        return self.store.has(step, self.key(step)) or self._kept(step) is not None

    def obtain(self, step: str) -> Path:
        """The folder of a step's result."""
        key = self._data_store_key if step == "data" else self.key(step)

        def produce(folder: Path, partial: Path) -> None:
            if step != "data" and self._adopt(step, folder):
                return
            started = time.monotonic()
            record = step_module(step).produce(self, folder, partial)
            record.write(folder / "record.json")
            write_json(folder / "provenance.json", provenance(time.monotonic() - started))

        return self.store.obtain(step, key, produce)

    def record(self, step: str) -> Record:
        """The record of a step's result."""
        return Record.read(self.obtain(step) / "record.json")

    def _kept(self, step: str) -> Path | None:
        """The record file that `artifacts` keeps of this key, whole with its files."""
        if step not in ("ann", "simulation"):
            return None
        key = self.key(step)
        for path in sorted((self.project / "artifacts" / step).glob("*/*.json")):
            if path.name == "study.json" or f'"{key}"' not in path.read_text(encoding="utf-8"):
                continue
            record = Record.read(path)
            if record.key == key and files_match(record, path.parent):
                return path
        return None

    def _adopt(self, step: str, folder: Path) -> bool:
        kept = self._kept(step)
        if kept is None:
            return False
        for name in Record.read(kept).details.get("files", {}):
            shutil.copyfile(kept.parent / name, folder / name)
        shutil.copyfile(kept, folder / "record.json")
        return True

    def data_record(self, manifest: Mapping[str, Any]) -> Record:
        """The record of data just loaded, which may have been downloaded just now."""
        from ann2snn.data.fingerprint import fingerprint

        return Record(
            step="data",
            key=manifest_key(manifest),
            parents={},
            settings={"data": step_module("data").settings(self.settings)},
            description={"dataset": str(manifest["name"])},
            metrics={f"{part}_images": count for part, count in manifest["counts"].items()},
            curves={},
            details={
                "manifest": dict(manifest),
                "raw": fingerprint(self.settings.data, data_root()),
                "code": {"data": code_identity("data")},
            },
        )

    def make_record(
        self,
        step: str,
        metrics: Json,
        curves: dict[str, list[float]],
        details: Json,
    ) -> Record:
        """The record of this step's result, with keys, settings and words filled in."""
        words = {"dataset": str(self.manifest["name"]), "network": self.settings.ann.network}
        steps = (*PARENTS[step], step)
        values = {s: step_module(s).settings(self.settings) for s in steps if s != "statistics"}
        # the code that loads data is in no key but that of the data's own place in the store
        code = {s: code_identity(s) for s in steps if s != "data"}
        return Record(
            step=step,
            key=self.key(step),
            parents={parent: self.key(parent) for parent in PARENTS[step]},
            settings=values,
            description=words,
            metrics=metrics,
            curves=curves,
            details={**details, "code": code},
        )


def manifest_key(manifest: Mapping[str, Any]) -> str:
    """The key of a data set: the hash of all that its manifest says."""
    return run_key("manifest", dict(manifest), {}, "")


def files_match(record: Record, folder: Path) -> bool:
    """Whether every file that the record names is in `folder` with the bytes that it names."""
    files: dict[str, str] = record.details.get("files", {})
    return all(
        (folder / name).is_file() and file_sha256(folder / name) == digest
        for name, digest in files.items()
    )
