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
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, cast

from ann2snn.config.schema import Settings
from ann2snn.pipeline.code_identity import code_identity
from ann2snn.pipeline.provenance import provenance
from ann2snn.records import Json, Record, Store, file_sha256, run_key, write_json
from ann2snn.settings import SettingError

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
    return cast(StepModule, importlib.import_module(f"ann2snn.pipeline.{step}"))


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

        Raises:
            SettingError: a toggle names a file, a module or images that are not there.
        """
        if step == "data":
            return manifest_key(self.manifest)
        own = self._shaping[step]
        if step == "simulation":
            self._require_images()
        parents = {parent: self.key(parent) for parent in PARENTS[step]}
        return run_key(step, own, parents, code_identity(step))

    @cached_property
    def _shaping(self) -> dict[str, Json]:
        """The toggles that shape each step's own result, read once: a file of the user's that
        changes while a run goes on changes none of its keys."""
        return {step: step_module(step).settings(self.settings) for step in PARENTS}

    def _require_images(self) -> None:
        asked, part = self.settings.simulation.images, self.settings.simulation.part
        there = self.manifest["counts"][part]
        if asked > there:
            raise SettingError(
                f"simulation.images must be at most {there}, the {part} images of"
                f" {self.manifest['name']}, or 0 for all, got {asked}"
            )

    def place(self, step: str) -> str:
        """The key that the store keeps a step's result under: for data it says which raw data they
        were loaded from and by which code, for all others it is the run key."""
        return self._data_place if step == "data" else self.key(step)

    def knows_data(self) -> bool:
        """Whether the manifest, and so every key, is known without loading data."""
        return self._committed_data is not None or self.done("data")

    @cached_property
    def manifest(self) -> Json:
        """The manifest of the data that all keys speak of: the committed one where no other raw
        data are there; the data are loaded only if neither store nor git has it."""
        if self._committed_data is not None and not (self._source and self.done("data")):
            return cast(Json, self._committed_data.details["manifest"])
        return _read_manifest(self._load_data())

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
        from ann2snn.data.source import fingerprint

        return fingerprint(self.settings.data, data_root())

    @cached_property
    def _data_place(self) -> str:
        """The place of what the raw data there give. Where there are none, that of the committed
        results' raw data if they were loaded before, else that of what a download gives."""
        if not self._source and self._committed_data is not None:
            place = self._place_of(self._committed_data.details["raw"])
            if self.store.has("data", place):
                return place
        return self._place_of(self._source)

    def _place_of(self, raw: str) -> str:
        own = step_module("data").settings(self.settings)
        return run_key("data", {**own, "raw": raw}, {}, code_identity("data"))

    def done(self, step: str) -> bool:
        """Whether the result of a step is there already, in the store or in `artifacts`."""
        return self.store.has(step, self.place(step)) or self._kept(step) is not None

    def obtain(self, step: str) -> Path:
        """The folder of a step's result.

        Raises:
            ValueError: the data that were loaded are not those that the keys speak of.
        """
        if step != "data":
            return self.store.obtain(step, self.key(step), partial(self._make, step))
        promised = self.manifest

        def make(folder: Path, kept: Path) -> None:
            self._make("data", folder, kept)
            loaded = _read_manifest(folder)
            if loaded != promised:
                shutil.rmtree(folder)
                raise ValueError(self._other_data(promised, loaded))

        folder = self.store.obtain("data", self._data_place, make)
        if _read_manifest(folder) != promised:
            raise ValueError(self._other_data(promised, _read_manifest(folder)))
        return folder

    def _load_data(self) -> Path:
        """The folder of the data as they are: nothing has been said of them yet."""
        return self.store.obtain("data", self._data_place, partial(self._make, "data"))

    def _make(self, step: str, folder: Path, partial: Path) -> None:
        if self._adopt(step, folder):
            return
        started = time.monotonic()
        record = step_module(step).produce(self, folder, partial)
        record.write(folder / "record.json")
        write_json(folder / "provenance.json", provenance(time.monotonic() - started))

    def _other_data(self, promised: Json, loaded: Json) -> str:
        """What to say when `loaded` is not what keys were made of."""
        names = sorted({*promised, *loaded})
        differing = [name for name in names if promised.get(name) != loaded.get(name)]
        return (
            f"the committed results come from {promised['name']} ({promised['source']}), but"
            f" {loaded['name']} ({loaded['source']}) was loaded; the two differ in"
            f" {', '.join(differing)}. For the committed results put their raw data into DATA_ROOT"
            " and no other in their place; to go on with the others, under keys of their own and"
            " with networks trained anew, first load them with the same toggles by:"
            f" python -m ann2snn.pipeline.data data={self.settings.data.name}"
        )

    def result(self, step: str) -> Path:
        """The folder of a step's own result: of data, whatever they are by now, since it is the
        data step that says so."""
        return self._load_data() if step == "data" else self.obtain(step)

    def record(self, step: str) -> Record:
        """The record of a step's own result."""
        return Record.read(self.result(step) / "record.json")

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
        from ann2snn.data.source import fingerprint

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
        values = {s: self._shaping[s] for s in steps if s != "statistics"}
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


def _read_manifest(folder: Path) -> Json:
    return cast(Json, json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


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
