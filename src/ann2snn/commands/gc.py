"""Shows what of the store no study, sweep or record needs: `ann2snn gc`.

Needed are the results of the points of every study in params.yaml and of every sweep in
`store/sweeps`, those whose records `artifacts` keeps, and what these were made from. Of the rest
every result is named with its size; so are folders that damage or a kill left. `--remove` removes
them: each can be computed again. What a stopped run could go on from is kept for OLD days.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ann2snn.config.composition import composed
from ann2snn.errors import MISUSED, errors_are_told
from ann2snn.noted_files import read_json
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.pipeline.study_file import SECTIONS, read_params, read_study
from ann2snn.records import Record, Store, record_files

OLD = 7
DAY = 24 * 3600.0
Needed = set[tuple[str, str]]


@dataclass(frozen=True)
class Unneeded:
    """A folder or lock of the store, its bytes, and why it can go."""

    path: Path
    size: int
    reason: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remove", action="store_true", help="remove what is shown")
    remove = parser.parse_args().remove
    project = Path.cwd()
    with errors_are_told(MISUSED):
        found = list(unneeded(project))
        for each in found:
            print(f"{each.path.relative_to(project)}: {each.size / 2**20:.1f} MiB, {each.reason}")
            if remove:
                _remove(project, each.path)
    size = sum(each.size for each in found) / 2**20
    end = "are removed" if remove else "can go: --remove removes them" if found else "can go"
    print(f"{len(found)} of the store, {size:.1f} MiB, {end}")


def unneeded(project: Path) -> Iterator[Unneeded]:
    """What can go, by step and key.

    Raises:
        ValueError: a record or a study that says what is needed cannot be read.
    """
    store, needed = Store(project / "store"), needed_results(project)
    now = time.time()
    for step in PARENTS:
        for folder in store.folders(step):
            key, _, kind = folder.name.partition(".")
            if kind == "" and (step, key) not in needed:
                yield Unneeded(folder, _size(folder), "no study, sweep or record needs it")
            elif kind in ("damaged", "gone", "new"):
                yield Unneeded(folder, _size(folder), f"left as {kind}")
            elif kind == "partial" and now - _changed(folder) > OLD * DAY:
                yield Unneeded(folder, _size(folder), f"untouched for {OLD} days")
    for lock in sorted((project / "store" / "locks").glob("*.lock")):
        if now - lock.stat().st_mtime > OLD * DAY:
            yield Unneeded(lock, 0, "an old lock")


def needed_results(project: Path) -> Needed:
    """(step, key in the store) of all results that are needed, with all that they come from."""
    store = Store(project / "store")
    roots: Needed = set()
    unknown: set[str] = set()
    for step in PARENTS:
        for path in record_files(project, step):
            record = Record.read(path)
            roots |= {(step, record.key), *record.parents.items()}
    for name in _studies(project):
        for overrides in read_study(project, name).points.values():
            chain = Chain(composed(overrides), project)
            if chain.knows_data():
                roots |= {(step, chain.key(step)) for step in PARENTS}
            else:
                unknown.add(chain.settings.data.name)
    if unknown:
        print(
            f"not known before their data are loaded: what studies on {', '.join(sorted(unknown))}"
            " need beside the results that artifacts/ has",
            file=sys.stderr,
        )
    for path in sorted((project / "store" / "sweeps").glob("*/sweep.json")):
        content = read_json(path)
        try:
            roots |= {(content["step"], p["key"]) for p in content["points"] if p["key"]}
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is no sweep's table: {error!r}") from error
    needed: Needed = set()
    while roots:
        step, key = roots.pop()
        needed.add((step, key))
        if store.is_there(step, key):
            record = Record.read(store.folder(step, key) / "record.json")
            roots |= set(record.parents.items()) - needed
    return needed | _data_places(store, needed)


def _studies(project: Path) -> list[str]:
    params = read_params(project)
    return [name for section in SECTIONS for name in params.get(section) or {}]


def _data_places(store: Store, needed: Needed) -> Needed:
    """Data lie in the store by where they came from; their records bear their own keys."""
    found: Needed = set()
    for folder in store.folders("data"):
        if "." not in folder.name and store.is_there("data", folder.name):
            key = Record.read(folder / "record.json").key
            if ("data", key) in needed:
                found.add(("data", folder.name))
    return found


def _remove(project: Path, path: Path) -> None:
    """Removes a folder or a lock, unless a process works on its key just now."""
    step, key = path.parent.name, path.name.partition(".")[0]
    lock = path if path.is_file() else project / "store" / "locks" / f"{step}-{key}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            if path.is_dir():
                gone = path.with_name(f"{key}.gone")
                if path != gone:
                    shutil.rmtree(gone, ignore_errors=True)  # of an earlier call that was killed
                    path.replace(gone)  # at once, so that no half of it bears the key
                shutil.rmtree(gone)
            lock.unlink(missing_ok=True)
    except Timeout:
        print(f"{path.relative_to(project)} is in use and stays", file=sys.stderr)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _changed(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
