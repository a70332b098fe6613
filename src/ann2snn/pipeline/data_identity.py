"""Which data a configuration speaks of: those that are there, else those of the committed results.

The key of data is the hash of their manifest, which hashes every pixel. Where no raw data are, the
committed record says what they are, and nothing is loaded until somebody needs images.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from ann2snn.config.schema import Settings
from ann2snn.pipeline.artifacts import whole_record
from ann2snn.pipeline.code_identity import code_identity
from ann2snn.records import Json, Record, Store, read_json, run_key
from ann2snn.settings import disagreement, key_values, neutral_values, shaping_values

Make = Callable[[Path, Path], None]
Hold = Callable[[Json], None]


@dataclass(frozen=True)
class DataIdentity:
    """The data of `settings` in a project folder, with raw data in or for the folder `root`."""

    settings: Settings
    project: Path
    root: Path

    @cached_property
    def manifest(self) -> Json:
        """The manifest that all keys speak of, once it is known: the committed one, unless other
        raw data are there."""
        if self.committed is not None and not (self.raw and self.is_stored):
            return cast(Json, self.committed.details["manifest"])
        return read_manifest(self.store.folder("data", self.place))

    @cached_property
    def committed_file(self) -> Path | None:
        """The record in git of this data set, unless other raw data than its own are there."""
        asked, neutral = shaping_values(self.settings.data), neutral_values(self.settings.data)
        for path in sorted((self.project / "artifacts" / "data").glob("*/record.json")):
            record = whole_record(self.project, path)
            if record is None:
                continue
            same = not disagreement(asked, neutral, record.settings.get("data", {}))
            if same and self.raw in ("", record.details.get("raw")):
                return path
        return None

    @cached_property
    def committed(self) -> Record | None:
        return Record.read(self.committed_file) if self.committed_file else None

    @cached_property
    def raw(self) -> str:
        """Which raw data are there, by names, sizes and times; empty where there are none."""
        from ann2snn.data.source import fingerprint

        return fingerprint(self.settings.data, self.root)

    @property
    def store(self) -> Store:
        return Store(self.project / "store")

    @property
    def is_stored(self) -> bool:
        return self.store.has("data", self.place)

    @property
    def is_known(self) -> bool:
        """Whether the manifest, and so every key, is known without loading data."""
        return self.committed is not None or self.is_stored

    @cached_property
    def place(self) -> str:
        """The key that the store keeps the data under: it says which raw data they were loaded
        from, and by which code. Where there are none, it is that of the committed results' raw data
        if they were loaded before, else that of what a download gives."""
        if not self.raw and self.committed is not None:
            place = self._place_of(self.committed.details["raw"])
            if self.store.has("data", place):
                return place
        return self._place_of(self.raw)

    def _place_of(self, raw: str) -> str:
        own = {**key_values(self.settings.data), "raw": raw}
        return run_key("data", own, {}, code_identity("data", self.settings))

    def load(self, make: Make, hold: Hold = lambda _: None) -> Path:
        """The folder of the data as they are, whatever has been said of them; `hold` raises where
        data loaded just now do not give what is asked for, which are not kept then."""

        def make_held(folder: Path, partial: Path) -> None:
            make(folder, partial)
            hold(read_manifest(folder))

        return self.store.obtain("data", self.place, make_held)

    def load_promised(self, make: Make, promised: Json) -> Path:
        """The folder of the data that keys were made of.

        Raises:
            ValueError: others were loaded.
        """

        def hold(loaded: Json) -> None:
            if loaded != promised:
                raise ValueError(self._other_data(promised, loaded))

        folder = self.load(make, hold)
        hold(read_manifest(folder))
        return folder

    def _other_data(self, promised: Json, loaded: Json) -> str:
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

    def record_of(self, manifest: Json) -> Record:
        """The record of data just loaded, which may have been downloaded just now."""
        from ann2snn.data.source import fingerprint

        return Record(
            step="data",
            key=manifest_key(manifest),
            parents={},
            settings={"data": shaping_values(self.settings.data)},
            description={"dataset": str(manifest["name"])},
            metrics={f"{part}_images": count for part, count in manifest["counts"].items()},
            curves={},
            details={
                "manifest": manifest,
                "raw": fingerprint(self.settings.data, self.root),
                "code": {"data": code_identity("data", self.settings)},
            },
        )


def read_manifest(folder: Path) -> Json:
    return read_json(folder / "manifest.json")


def manifest_key(manifest: Mapping[str, Any]) -> str:
    """The key of a data set: the hash of all that its manifest says."""
    return run_key("manifest", dict(manifest), {}, "")
