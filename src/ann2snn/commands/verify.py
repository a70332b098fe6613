"""Whether the committed results come out again: `python -m ann2snn.commands.verify`.

In a clone of the committed project, in a temporary folder, results are removed and `dvc repro`
makes them anew: all of digits, from nothing; for every other network whose data are there one
point, from its committed weights; the report. Git then says whether any file differs. Nothing is
sent to MLflow but to the clone's own.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ann2snn.commands import demo
from ann2snn.errors import errors_are_told
from ann2snn.pipeline.chain import data_root
from ann2snn.pipeline.provenance import MACHINE, provenance
from ann2snn.pipeline.study_file import Study, default_studies, read_params
from ann2snn.records import MACHINES, Record, noted_machines, record_files
from ann2snn.settings import SettingError

IMPORTED_FROM = "import ann2snn, pathlib; print(pathlib.Path(ann2snn.__file__).resolve())"


def main() -> None:
    """Prints what was compared, skipped and different; exits with 1 after a difference."""
    project = Path.cwd()
    with errors_are_told(), tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        clone = Path(temporary) / "clone"
        clone_project(project, clone)
        remove_digits(clone)
        remove_points(clone)
        shutil.rmtree(clone / "report")
        completed = recomputed(clone)
        differences = changed_files(clone)
        if differences:
            git(clone, "--no-pager", "diff", "--stat", shown=True)
    if not completed:
        print("failed: a stage; DVC has said above which and why")
    for name in differences:
        print(f"different: {name}")
    if differences or not completed:
        print_machines(project, differences)
        sys.exit(1)
    print("verified: git finds every file as it is committed")


def clone_project(project: Path, clone: Path) -> None:
    """Clones what git has of the project.

    Raises:
        SettingError: there is no git, or no repository in `project`.
    """
    command = ["git", "clone", "--quiet", str(project), str(clone)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except OSError as error:
        raise SettingError(f"verify clones the project, but git does not start: {error}") from error
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split())
        raise SettingError(f"git cannot clone the project in {project}: {reason}") from error


def remove_digits(clone: Path) -> None:
    """Removes all results of digits."""
    studies = [name for name, s in default_studies(clone).items() if s.network == demo.NETWORK]
    for step in ("data", "ann", "conversion", "simulation"):
        for name in (demo.NETWORK, *studies):
            shutil.rmtree(clone / "artifacts" / step / name, ignore_errors=True)
    print(f"digits from nothing: the data, the network, {len(studies)} studies")


def remove_points(clone: Path) -> None:
    """Removes one point of every other network whose raw data are there, and says which."""
    params = read_params(clone)
    studies = default_studies(clone)
    for network, groups in params["networks"].items():
        if network == demo.NETWORK:
            continue
        study = next((s for s in studies.values() if s.network == network), None)
        if study is None or not (clone / "artifacts" / "simulation" / study.name).is_dir():
            print(f"skipped {network}: no study of it is committed")
        elif not has_raw_data(clone, groups["data"]):
            print(f"skipped {network}: the raw data of {groups['data']} are not in DATA_ROOT")
        else:
            remove_point(clone, study)
    for name in params.get("on_request") or {}:
        print(f"skipped {name}: the weights of its networks are not kept")


def remove_point(clone: Path, study: Study) -> None:
    """Removes the last point of a study, the simulation and its conversion, wherever it stands."""
    point = list(study.points)[-1]
    for step in ("conversion", "simulation"):
        key = Record.read(clone / "artifacts" / step / study.name / f"{point}.json").key
        for path in record_files(clone, step):
            if Record.read(path).key == key:
                path.unlink()
    print(f"{study.network} from its weights: {study.name}/{point}")


def has_raw_data(clone: Path, name: str) -> bool:
    """Whether DATA_ROOT holds the data set that the committed results come from."""
    from ann2snn.data.settings import DataSettings
    from ann2snn.data.source import fingerprint

    kept = clone / "artifacts" / "data" / name / "record.json"
    if not kept.is_file():
        return False
    there = fingerprint(DataSettings(name=name), data_root())
    return there != "" and there == Record.read(kept).details["raw"]


def recomputed(clone: Path) -> bool:
    """Whether every stage of the clone, on the clone's own code, came to its end.

    Raises:
        SettingError: other code than the clone's would run.
    """
    environment = {**demo.environment(clone), "DATA_ROOT": str(data_root())}
    own = subprocess.run(
        [sys.executable, "-c", IMPORTED_FROM],
        cwd=clone, env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if not Path(own.stdout.strip()).is_relative_to(clone.resolve()):
        raise SettingError(f"the code of the clone is not what runs, but {own.stdout.strip()}")
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "--keep-going"]
    done = subprocess.run(
        command, cwd=clone, env=environment, check=False, stdout=subprocess.DEVNULL
    )
    return done.returncode == 0


def changed_files(clone: Path) -> list[str]:
    """The files that git does not find as they are committed, but for the note of machines."""
    lines = git(clone, "status", "--porcelain", "--no-renames").splitlines()
    names = [line[3:].strip('"') for line in lines]
    return [name for name in names if name != MACHINES.as_posix()]


def git(clone: Path, *arguments: str, shown: bool = False) -> str:
    """What git says in the clone; empty where it is shown to the user."""
    out = None if shown else subprocess.PIPE
    done = subprocess.run(["git", *arguments], cwd=clone, check=True, stdout=out, text=True)
    return done.stdout or ""


def print_machines(project: Path, differences: list[str]) -> None:
    """What this machine is, and what those were that the results which differ come from."""
    own = provenance(0)
    print("this machine:", json.dumps({fact: own[fact] for fact in MACHINE}, sort_keys=True))
    machines = noted_machines(project)
    studies = {place.partition("/")[2] for place in machines}
    alike: dict[str, list[str]] = {}
    for place, facts in machines.items():
        if any(concerns(name, place, studies) for name in differences):
            alike.setdefault(json.dumps(facts, sort_keys=True), []).append(place)
    for facts, places in alike.items():
        print(f"{', '.join(places)}: computed on {facts}")


def concerns(name: str, place: str, studies: Iterable[str]) -> bool:
    """Whether a file that differs is a result under artifacts/`place`, a figure of its study, or
    drawn from all results, as the page is. A figure bears its study's name, or one that begins with
    it, as `cifar10-best-early-exit`."""
    if name.startswith("report/figures/"):
        stem = Path(name).stem
        named = [study for study in studies if f"{stem}-".startswith(f"{study}-")]
        return place.partition("/")[2] == max(named, key=len, default="")
    return name.startswith((f"artifacts/{place}/", "report/"))


if __name__ == "__main__":
    main()
