"""One configuration's way from raw data to a simulation: keys of all steps, results on demand.

A result comes from the store; else from `artifacts/`, where git keeps records and trained weights;
else its step computes it. A record that git keeps is enough where nobody needs the files of its
result. DVC stages, single runs and sweeps all go this way, so none of them computes what another
has.
"""

import importlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, cast

from ann2snn.config.schema import Settings
from ann2snn.pipeline.artifacts import adopt, files_match, kept_record
from ann2snn.pipeline.code_identity import code_identity
from ann2snn.pipeline.data_identity import DataIdentity, Hold, manifest_key
from ann2snn.pipeline.provenance import provenance
from ann2snn.pipeline.user_files import given
from ann2snn.progress import Progress
from ann2snn.records import Json, Record, Store, run_key, write_json
from ann2snn.settings import (
    SettingError,
    disagreement,
    key_values,
    neutral_values,
    shaping_values,
)

PARENTS: dict[str, tuple[str, ...]] = {
    "data": (),
    "ann": ("data",),
    "statistics": ("data", "ann"),
    "conversion": ("data", "ann", "statistics"),
    "simulation": ("data", "ann", "conversion"),
}
DOING = {
    "data": "loading",
    "ann": "preparing the network",
    "statistics": "measuring the activations of",
    "conversion": "converting",
    "simulation": "preparing the simulation of",
}
WHOLE_IN_GIT = ("ann", "simulation")  # git keeps all files of these, where it keeps any


class StepModule(Protocol):
    """What the module of a step offers the chain."""

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
    _keys: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def store(self) -> Store:
        return Store(self.project / "store")

    @cached_property
    def data(self) -> DataIdentity:
        return DataIdentity(self.settings, self.project, data_root())

    @cached_property
    def manifest(self) -> Json:
        """The manifest of the data that all keys speak of; the data are loaded only if neither
        store nor git has it."""
        self.learn_data()
        return self.data.manifest

    def learn_data(self, hold: Hold = lambda _: None) -> None:
        """Loads the data if neither store nor git says what they are; `hold` raises where they do
        not give what is asked for, and they are not kept then."""
        if not self.data.is_known:
            self.data.load(partial(self._make, "data"), hold)

    def key(self, step: str) -> str:
        """The run key of a step; that of data is the hash of its manifest's content.

        Two folders of equal images are one data set, and CIFAR-10 is not its JPEG copy.

        Raises:
            SettingError: a toggle names a file, a module or images that are not there.
        """
        if step not in self._keys:
            self._keys[step] = self._key(step)
        return self._keys[step]

    def _key(self, step: str) -> str:
        if step == "data":
            return manifest_key(self.manifest)
        self.toggles("ann")  # what the user names and is not there is told before data are loaded
        own = self.toggles(step, key_values)
        if step == "simulation":
            self.learn_data(self.require_images)
            self.require_images(self.manifest)
        parents = {parent: self.key(parent) for parent in PARENTS[step]}
        return run_key(step, own, parents, code_identity(step, self.settings))

    def toggles(self, step: str, values: Callable[[Any], Json] = shaping_values) -> Json:
        """The toggles of a step's own that shape its result, those in its key, or the neutral ones,
        with what the user gives for the network by its content.

        Raises:
            SettingError: a toggle names a file or a module that is not there.
        """
        if step == "statistics":
            return {}
        found = values(getattr(self.settings, step))
        return {**found, **self._given} if step == "ann" else found

    @cached_property
    def _given(self) -> Json:
        """Read once: a file of the user's that changes while a run goes on changes no key."""
        return given(self.settings.ann)

    def require_images(self, manifest: Json) -> None:
        """Passes if data of this manifest have as many images as the simulation is to take.

        Raises:
            SettingError: they have fewer.
        """
        asked, part = self.settings.simulation.images, self.settings.simulation.part
        there = manifest["counts"][part]
        if asked > there:
            raise SettingError(
                f"simulation.images must be at most {there}, the {part} images of"
                f" {manifest['name']}, or 0 for all, got {asked}"
            )

    def place(self, step: str) -> str:
        """The key that the store keeps a step's result under: for data it says which raw data they
        were loaded from and by which code, for all others it is the run key."""
        return self.data.place if step == "data" else self.key(step)

    def knows_data(self) -> bool:
        """Whether the manifest, and so every key, is known without loading data."""
        return self.data.is_known

    def done(self, step: str) -> bool:
        """Whether the record of a step is there already, in the store or in `artifacts`."""
        return self.store.has(step, self.place(step)) or self.kept(step) is not None

    def at_hand(self, step: str) -> bool:
        """Whether all files of a step's result are there already, for a step after it to take."""
        kept = self.kept(step) if step in WHOLE_IN_GIT else None
        whole = kept is not None and files_match(Record.read(kept), kept.parent)
        return whole or self.store.has(step, self.place(step))

    def kept(self, step: str) -> Path | None:
        """The record file that `artifacts` keeps of a step's result; of data only where no raw data
        are, since it is the data step that says what these are.

        Raises:
            ValueError: it bears the key, but other toggles.
        """
        if step == "data":
            return None if self.data.raw else self.data.committed_file
        path = kept_record(self.project, step, self.key(step))
        if path is not None:
            self._require_agreement(Record.read(path), path)
        return path

    def record(self, step: str) -> Record:
        """The record of a step's own result: of data, whatever they are by now."""
        kept = None if self.store.has(step, self.place(step)) else self.kept(step)
        return Record.read(kept or self.result(step) / "record.json")

    def result(self, step: str) -> Path:
        """The folder of a step's own result: of data, whatever they are by now."""
        return self.data.load(partial(self._make, "data")) if step == "data" else self.obtain(step)

    def obtain(self, step: str) -> Path:
        """The folder of a step's result, with all its files.

        Raises:
            ValueError: the data that were loaded are not those that the keys speak of, or a result
                bears the key, but other toggles.
        """
        if step == "data":
            return self.data.load_promised(partial(self._make, "data"), self.manifest)
        folder = self.store.obtain(step, self.key(step), partial(self._make, step))
        self._require_agreement(Record.read(folder / "record.json"), folder)
        return folder

    def _make(self, step: str, folder: Path, partial: Path) -> None:
        if step in WHOLE_IN_GIT and self.at_hand(step):
            adopt(cast(Path, self.kept(step)), folder)
            return
        started = time.monotonic()
        subject = self.settings.data.name if step == "data" else self.settings.ann.network
        with Progress(f"{DOING[step]} {subject}", shown=self.settings.run.progress):
            record = step_module(step).produce(self, folder, partial)
        record.write(folder / "record.json")
        write_json(folder / "provenance.json", provenance(time.monotonic() - started))

    def _require_agreement(self, record: Record, path: Path) -> None:
        """Equal keys are equal toggles, unless a default was changed and the toggle's rule does not
        say so; data are known by their content, whatever their toggles."""
        for step in set(record.settings) - {"data"}:
            asked, neutral = self.toggles(step), self.toggles(step, neutral_values)
            told = disagreement(asked, neutral, record.settings[step])
            if told:
                raise ValueError(
                    f"{path} bears the key of this result, but {step}.{told}: where a default has"
                    " changed, give the toggle the old one as `neutral`, so that keys keep their"
                    " meaning"
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
        # the code that loads data is in no key but that of the data's own place in the store
        code = {s: code_identity(s, self.settings) for s in steps if s != "data"}
        return Record(
            step=step,
            key=self.key(step),
            parents={parent: self.key(parent) for parent in PARENTS[step]},
            settings={s: self.toggles(s) for s in steps if s != "statistics"},
            description=words,
            metrics=metrics,
            curves=curves,
            details={**details, "code": code},
        )
