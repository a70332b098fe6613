"""What git keeps of results: `artifacts/<step>/<name>`, read to adopt and written to publish.

Of data these are the record and the manifest, of a network the record, its weights and answers, of
a study the record of each point, `study.json` that names them, and beside conversions
`statistics.json`, the summary of the first point's activation statistics.
"""

import dataclasses
import re
import shutil
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ann2snn.config.schema import GROUPS, Settings
from ann2snn.numerics.atomic_files import whole_file
from ann2snn.pipeline.noted_artifacts import is_as_noted, note, tell_damaged
from ann2snn.pipeline.provenance import note_machine
from ann2snn.records import Record, Store, file_sha256, read_json, record_files, write_json
from ann2snn.settings import neutral_values

if TYPE_CHECKING:
    from ann2snn.pipeline.chain import Chain
    from ann2snn.pipeline.study_file import Study

KEY = re.compile(r'"key": "(\w+)"')


def kept_record(project: Path, step: str, key: str) -> Path | None:
    """The file of the record that bears the key, if what lies beside it of its files is whole."""
    for path in record_files(project, step):
        state = path.stat()
        if key in _keys_in(path, state.st_size, state.st_mtime_ns):
            record = whole_record(project, path)
            if record and record.key == key and files_match(record, path.parent, missing_too=True):
                return path
    return None


def whole_record(project: Path, path: Path) -> Record | None:
    """The record that git keeps at `path`; None, and a line, if it is damaged."""
    try:
        record = Record.read(path)
    except ValueError as error:
        tell_damaged(path, str(error))
        return None
    return record if is_as_noted(project, path) else None


@cache
def _keys_in(path: Path, size: int, changed: int) -> frozenset[str]:  # noqa: ARG001
    """The words of a file that may be its key, read once while neither size nor time changes."""
    return frozenset(KEY.findall(path.read_text(encoding="utf-8", errors="replace")))


def files_match(record: Record, folder: Path, missing_too: bool = False) -> bool:
    """Whether every file that the record names is in `folder` with the bytes that it names, or
    `missing_too`, with none of them there."""
    files: dict[str, str] = record.details.get("files", {})
    there = [name for name in files if (folder / name).is_file()]
    if missing_too and not there:
        return True
    return len(there) == len(files) and all(
        file_sha256(folder / name) == digest for name, digest in files.items()
    )


def recorded_settings(record: Record, project: Path | None = None) -> Settings:
    """The settings that a record's own key was made of; a toggle that it does not know is neutral.
    Weights that were given are named by their hash there: of a `project` by the file of its
    `artifacts` that has it, where there is one."""
    groups = {}
    for group, kind in GROUPS.items():
        known, neutral = record.settings.get(group, {}), neutral_values(kind)
        groups[group] = kind(**{name: known.get(name, neutral[name]) for name in neutral})
    settings = Settings(**groups)
    if project is None:
        return settings
    named = {toggle: getattr(settings.ann, toggle) for toggle in ("weights", "start")}
    files: dict[str, Any] = {
        toggle: str(path)
        for path in sorted((project / "artifacts" / "ann").glob("*/weights.safetensors"))
        for toggle, digest in named.items()
        if digest and file_sha256(path) == digest
    }
    return dataclasses.replace(settings, ann=dataclasses.replace(settings.ann, **files))


def adopt(kept: Path, folder: Path) -> None:
    """Copies a record that git keeps, with its files, into a result's folder.

    Raises:
        ValueError: a file has changed since it was looked at.
    """
    record = Record.read(kept)
    for name in record.details.get("files", {}):
        shutil.copyfile(kept.parent / name, folder / name)
    if not files_match(record, folder):
        raise ValueError(f"a file beside {kept} has changed while it was copied: run it again")
    shutil.copyfile(kept, folder / "record.json")


def keep_point(study: str, point: str, record: Record, project: Path) -> None:
    """Writes a point's record to `artifacts/<step>/<study>` as soon as it is there: git can keep
    it, and a study of many hours goes on from it where the store is empty."""
    with _alone(project, record.step, study):
        path = project / "artifacts" / record.step / study / f"{point}.json"
        record.write(path)
        note(project, [path])


def publish_study(step: str, study: "Study", chains: dict[str, "Chain"], project: Path) -> None:
    """Names the records of all points in `study.json` beside them, and removes others there."""
    records = {point: chain.record(step) for point, chain in chains.items()}
    folder = project / "artifacts" / step / study.name
    wanted = {"study.json"} | {f"{point}.json" for point in records}
    copied = {}
    if step == "conversion":
        copied["statistics.json"] = _summary(next(iter(chains.values())), project)
    with _alone(project, step, study.name):
        for name, source in copied.items():
            _copy(source, folder / name)
        keys = {point: record.key for point, record in records.items()}
        write_study(folder, study, next(iter(records.values())).description["dataset"], keys)
        kept = [folder / name for name in wanted | set(copied)]
        others = [path for path in folder.iterdir() if path not in kept]
        for path in others:
            path.unlink()
        note(project, kept, others)
    made = [chain.store.folder(step, chain.key(step)) for chain in chains.values()]
    note_machine(project, f"{step}/{study.name}", made)


def write_study(folder: Path, study: "Study", dataset: str, keys: dict[str, str]) -> None:
    """Writes `study.json`: the points of a study in order, with keys and words."""
    content = {
        "study": study.name,
        "title": study.title,
        "kind": study.kind,
        "network": study.network,
        "dataset": dataset,
        "order": [[point, key] for point, key in keys.items()],
        "points": keys,
        "labels": {point: study.labels.get(point, point) for point in keys},
    }
    write_json(folder / "study.json", content)


def _summary(chain: "Chain", project: Path) -> Path:
    """The summary of a chain's activation statistics; that beside a study's conversions is of the
    first point."""
    key = chain.key("statistics")
    if not chain.store.has("statistics", key):
        for path in sorted((project / "artifacts" / "conversion").glob("*/study.json")):
            order = read_json(path)["order"]
            first = path.with_name(f"{order[0][0]}.json")
            kept = path.with_name("statistics.json")
            record = whole_record(project, first) if first.is_file() else None
            same = record is not None and record.parents.get("statistics") == key
            if same and kept.is_file() and is_as_noted(project, kept):
                return kept
    return chain.obtain("statistics") / "summary.json"


def publish_result(step: str, name: str, chain: "Chain", project: Path) -> None:
    """Copies a data or ann result's record and kept files to `artifacts/<step>/<name>`."""
    stored = chain.store.has(step, chain.place(step))
    kept = chain.kept(step) if step == "data" and not stored else None
    source = kept.parent if kept else chain.result(step)
    record = Record.read(source / "record.json")
    folder = project / "artifacts" / step / name
    names = ["manifest.json"] if step == "data" else list(record.details.get("files", {}))
    with _alone(project, step, name):
        for file in names:
            _copy(source / file, folder / file)
        record.write(folder / "record.json")
        note(project, [folder / file for file in (*names, "record.json")])
    note_machine(project, f"{step}/{name}", [source])


def _alone(project: Path, step: str, name: str) -> AbstractContextManager[None]:
    """Holds `artifacts/<step>/<name>` against other processes that write there."""
    return Store(project / "store").lock("artifacts", f"{step}-{name}")


def _copy(source: Path, target: Path) -> None:
    """Copies a file at once or not at all."""
    if source != target:
        with whole_file(target) as file:
            shutil.copyfile(source, file)
