"""Whether the committed results come out again: `python -m ann2snn.stages.verify`.

In a clone of the committed project, in a temporary folder: the digits studies from nothing; for
every other network whose data are there, one conversion and one simulation from its committed
weights; the report from the committed artifacts. Every file is compared byte for byte.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ann2snn.records import Record
from ann2snn.settings import SettingError
from ann2snn.stages import demo
from ann2snn.stages.chain import data_root
from ann2snn.stages.provenance import MACHINE, noted_machines, provenance
from ann2snn.stages.study import read_params, read_study

IMPORTED_FROM = "import ann2snn, pathlib; print(pathlib.Path(ann2snn.__file__).resolve())"


def main() -> None:
    """Prints what was compared, skipped and different; exits with 1 after a difference."""
    project = Path.cwd()
    differences: list[str] = []
    with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        clone = Path(temporary) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(project), str(clone)], check=True)
        try:
            differences += verify_digits(clone, Path(temporary) / "digits")
            differences += verify_networks(clone)
            differences += verify_report(clone)
        except (SettingError, subprocess.CalledProcessError) as error:
            differences.append(str(error))
    for difference in differences:
        print(f"different: {difference}")
    if differences:
        print_machines(project, differences)
        sys.exit(1)
    print("verified: every compared file is the committed one")


def print_machines(project: Path, differences: list[str]) -> None:
    """What this machine is, and what those were that the results which differ come from."""
    own = provenance(0)
    print("this machine:", json.dumps({fact: own[fact] for fact in MACHINE}, sort_keys=True))
    for place, facts in noted_machines(project).items():
        if any(place in difference for difference in differences):
            print(f"{place} was computed on: {json.dumps(facts, sort_keys=True)}")


def verify_digits(clone: Path, folder: Path) -> list[str]:
    """Runs the digits studies from nothing and compares artifacts and figures."""
    run_python(clone, "-c", IMPORTED_FROM, expect=str(clone.resolve()))
    demo.prepare(clone, folder)
    demo.dvc(folder, "repro", "--quiet")
    names = {demo.NETWORK, *read_params(folder)["studies"]}
    differences = []
    for path in sorted((folder / "artifacts").glob("*/*")):
        if path.name in names:
            kept = clone / path.relative_to(folder)
            differences += compared(path, kept, path.relative_to(folder).as_posix())
    figures = [
        path
        for path in sorted((folder / "report" / "figures").iterdir())
        if any(path.name.startswith(name) for name in names)
    ]
    for path in figures:
        name = path.relative_to(folder)
        differences += compared(path, clone / name, name.as_posix())
    print(f"digits from nothing: {len(names)} results, {len(figures)} figure files")
    return differences


def verify_networks(clone: Path) -> list[str]:
    """Converts and simulates one point of every other network from its committed weights."""
    params = read_params(clone)
    differences = []
    for network, groups in params["networks"].items():
        if network == demo.NETWORK:
            continue
        study = next((n for n, s in params["studies"].items() if s["network"] == network), None)
        if study is None or not (clone / "artifacts" / "simulation" / study).is_dir():
            print(f"skipped {network}: no study of it is committed")
            continue
        if not has_raw_data(clone, groups["data"]):
            print(f"skipped {network}: the raw data of {groups['data']} are not in DATA_ROOT")
            continue
        kept = clone / "artifacts" / "simulation"
        set_aside = clone / "set-aside"
        kept.rename(set_aside)
        point, overrides = list(read_study(clone, study).points.items())[-1]
        run_python(clone, "-m", "ann2snn.stages.simulation", "run.track=false", *overrides)
        set_aside.rename(kept)
        expected = kept / study / f"{point}.json"
        key = Record.read(expected).key
        made = clone / "store" / "simulation" / key / "record.json"
        differences += compared(made, expected, f"artifacts/simulation/{study}/{point}.json")
        print(f"{network}: {study}/{point} converted and simulated")
    return differences


def has_raw_data(clone: Path, name: str) -> bool:
    """Whether DATA_ROOT holds the data set that the committed results come from."""
    from ann2snn.data.fingerprint import fingerprint
    from ann2snn.data.settings import DataSettings

    kept = clone / "artifacts" / "data" / name / "record.json"
    if not kept.is_file():
        return False
    there = fingerprint(DataSettings(name=name), data_root())
    return there != "" and there == Record.read(kept).details["raw"]


def verify_report(clone: Path) -> list[str]:
    """Writes the report anew from the committed artifacts."""
    shutil.copytree(clone / "report", clone / "kept-report")
    run_python(clone, "-m", "ann2snn.stages.report")
    print("report from committed artifacts")
    return compared(clone / "report", clone / "kept-report", "report")


def run_python(folder: Path, *arguments: str, expect: str = "") -> None:
    """Runs Python in `folder` on that folder's own code.

    Raises:
        SettingError: the output does not begin with `expect`.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "src"),
        "DATA_ROOT": str(data_root()),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if not done.stdout.startswith(expect):
        raise SettingError(f"the code of the clone is not what runs, but {done.stdout.strip()}")


def compared(made: Path, expected: Path, name: str) -> list[str]:
    """Names of the files in which two files or folders differ, with what differs in a record."""
    if made.is_dir() and expected.is_dir():
        names = sorted({p.name for folder in (made, expected) for p in folder.iterdir()})
        return [line for n in names for line in compared(made / n, expected / n, f"{name}/{n}")]
    if not made.is_file() or not expected.is_file():
        return [f"{name}: {'not made' if expected.exists() else 'not committed'}"]
    if made.read_bytes() == expected.read_bytes():
        return []
    return [f"{name}{''.join(f'; {line}' for line in changed_metrics(made, expected))}"]


def changed_metrics(made: Path, expected: Path) -> Iterator[str]:
    """What differs in two records: key or metrics; nothing for other files."""
    try:
        new, old = Record.read(made), Record.read(expected)
    except ValueError:
        return
    if new.key != old.key:
        yield f"key {new.key[:12]}, committed {old.key[:12]}"
    for metric in sorted(set(new.metrics) | set(old.metrics)):
        values = new.metrics.get(metric), old.metrics.get(metric)
        if values[0] != values[1]:
            yield f"{metric} {values[0]}, committed {values[1]}"


if __name__ == "__main__":
    main()
