"""Goes over all that was computed and prints what is wrong: `ann2snn check`.

In the store every file of every result is hashed, under `artifacts` every file that was noted as it
was published; records are read, and the keys that studies name are looked up. The figures and data
of `report/` are those that git has, where there is git. Nothing is changed, unless `--note` asks to
note the files of `artifacts` as they are now. Exits with 1 if anything is wrong.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ann2snn.errors import errors_are_told
from ann2snn.noted_files import read_json
from ann2snn.pipeline.artifacts import files_match
from ann2snn.pipeline.chain import PARENTS
from ann2snn.pipeline.noted_artifacts import NOTE, different_files, note
from ann2snn.records import NO_RECORDS, Record, Store

LEFTOVERS = {
    "damaged": "was damaged and set aside",
    "new": "was being made when its process ended",
    "partial": "is what a stopped run goes on from",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--note", action="store_true", help="note artifacts as they are now")
    project = Path.cwd()
    with errors_are_told():
        if parser.parse_args().note:
            files = published_files(project)
            note(project, files)
            print(f"{len(files)} files are noted in {NOTE}")
            return
        if not (project / "store").is_dir() and not (project / "artifacts").is_dir():
            raise ValueError(f"{project} has neither store/ nor artifacts/")
        wrong = [*wrong_in_store(project), *wrong_in_artifacts(project), *wrong_in_report(project)]
        left = list(leftovers(project))
    end = f"{len(wrong)} wrong" if wrong else "all is as it was made"
    print(*wrong, *left, end, sep="\n")
    sys.exit(1 if wrong else 0)


def published_files(project: Path) -> list[Path]:
    """All files of steps under `artifacts`."""
    folders = [project / "artifacts" / step for step in PARENTS]
    return sorted(path for folder in folders for path in folder.glob("*/*") if path.is_file())


def wrong_in_store(project: Path) -> Iterator[str]:
    """A line for each result that is not as it was written; the next run makes it anew."""
    store = Store(project / "store")
    for step in PARENTS:
        for folder in store.folders(step):
            if "." in folder.name:
                continue
            wrong = store.wrong(step, folder.name, wholly=True)
            if not store.is_there(step, folder.name):
                wrong = ("record.json is missing",)
            if wrong:
                yield f"{folder.relative_to(project)}: {'; '.join(wrong)}; it will be made again"


def wrong_in_artifacts(project: Path) -> Iterator[str]:
    """A line for each file under `artifacts` that is not as it was published, is no record, or
    lacks what a record or a study names."""
    root = project / "artifacts"
    try:
        for name, reason in different_files(project):
            yield f"artifacts/{name}: {reason}; git checkout artifacts/{name}"
    except ValueError as error:
        yield str(error)
    for path in published_files(project):
        if path.suffix != ".json" or path.name in ("statistics.json", "manifest.json"):
            continue
        name = path.relative_to(root).as_posix()
        try:
            if path.name == "study.json":
                yield from _wrong_in_study(path, name)
            else:
                record = Record.read(path)
                kept = path.parent.parent.name == "ann" or path.name not in NO_RECORDS
                if kept and not files_match(record, path.parent, missing_too=True):
                    yield f"artifacts/{name}: a file beside it is not the one that it names"
                if record.step != path.parent.parent.name:
                    yield f"artifacts/{name}: it is a record of step {record.step}"
        except (OSError, ValueError) as error:
            yield f"artifacts/{name}: {error}"


def _wrong_in_study(path: Path, name: str) -> Iterator[str]:
    """What a study names and is not so. Its networks may be known by their keys alone: of those on
    request git need not keep the records."""
    points = read_json(path).get("points")
    if not isinstance(points, dict):
        yield f"artifacts/{name}: it names no points"
        return
    for point, key in points.items():
        record = path.with_name(f"{point}.json")
        if not record.is_file():
            if path.parent.parent.name != "ann":
                yield f"artifacts/{name}: the record of point {point} is missing"
        elif Record.read(record).key != key:
            yield f"artifacts/{name}: point {point} has another key than its record"


def wrong_in_report(project: Path) -> Iterator[str]:
    """A line for each file of `report/` that git has otherwise; none where there is no git."""
    command = ["git", "status", "--porcelain", "--no-renames", "--untracked-files=no", "report"]
    try:
        done = subprocess.run(command, cwd=project, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return
    for line in done.stdout.splitlines():
        yield f"{line[3:]}: it is not as git has it; dvc repro report"


def leftovers(project: Path) -> Iterator[str]:
    """A line for each folder that no run needs by itself; `gc` removes them."""
    store = Store(project / "store")
    for step in PARENTS:
        for folder in store.folders(step):
            kind = folder.name.partition(".")[2]
            if kind in LEFTOVERS:
                yield f"{folder.relative_to(project)} {LEFTOVERS[kind]}"
