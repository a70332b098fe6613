"""Whether the committed results come out again: `python -m ann2snn.commands.verify`.

In a clone of the committed project, in a temporary folder: the digits studies from nothing; for
every other network whose data are there, one conversion and one simulation from its committed
weights; the report from the committed artifacts. Every file is compared byte for byte. Nothing is
sent to MLflow.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from ann2snn.commands import demo
from ann2snn.commands.difference import compared
from ann2snn.pipeline.chain import data_root
from ann2snn.pipeline.provenance import MACHINE, noted_machines, provenance
from ann2snn.pipeline.study_file import Study, default_studies, read_params
from ann2snn.records import Record
from ann2snn.settings import SettingError

IMPORTED_FROM = "import ann2snn, pathlib; print(pathlib.Path(ann2snn.__file__).resolve())"

FAILED = "failed: "


def main() -> None:
    """Prints what was compared, skipped and different; exits with 1 after a difference."""
    project = Path.cwd()
    differences: list[str] = []
    with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        clone = Path(temporary) / "clone"
        try:
            clone_project(project, clone)
        except SettingError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        folder = Path(temporary) / "digits"
        differences += attempted("digits", partial(verify_digits, clone, folder))
        differences += verify_networks(clone)
        differences += attempted("report", partial(verify_report, clone))
    for difference in differences:
        print(difference if difference.startswith(FAILED) else f"different: {difference}")
    if differences:
        print_machines(project, differences)
        sys.exit(1)
    print("verified: every compared file is the committed one")


def attempted(name: str, verify: Callable[[], list[str]]) -> list[str]:
    """The differences that `verify` finds; a failure in its course is one of them."""
    try:
        return verify()
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        return [f"{FAILED}{name}: {error}"]


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


def print_machines(project: Path, differences: list[str]) -> None:
    """What this machine is, and what those were that the results which differ come from."""
    own = provenance(0)
    print("this machine:", json.dumps({fact: own[fact] for fact in MACHINE}, sort_keys=True))
    machines = noted_machines(project)
    studies = {place.partition("/")[2] for place in machines}
    alike: dict[str, list[str]] = {}
    for place, facts in machines.items():
        if any(concerns(difference, place, studies) for difference in differences):
            alike.setdefault(json.dumps(facts, sort_keys=True), []).append(place)
    for facts, places in alike.items():
        print(f"{', '.join(places)}: computed on {facts}")


def concerns(difference: str, place: str, studies: Iterable[str]) -> bool:
    """Whether a file that differs is a result under artifacts/`place`, a figure of its study, or
    drawn from all results, as the page is. A figure bears its study's name, or one that begins with
    it, as `cifar10-best-early-exit`."""
    file = difference.partition(";")[0]
    if file.startswith("report/figures/"):
        stem = Path(file).name.partition(":")[0].rpartition(".")[0]
        named = [study for study in studies if f"{stem}-".startswith(f"{study}-")]
        return place.partition("/")[2] == max(named, key=len, default="")
    return file.startswith((f"artifacts/{place}/", "report/"))


def verify_digits(clone: Path, folder: Path) -> list[str]:
    """Runs the digits studies from nothing and compares artifacts and figures."""
    run_python(clone, "-c", IMPORTED_FROM, expect=str(clone.resolve()))
    demo.prepare(clone, folder, tracked=False)
    demo.dvc(folder, "repro", "--quiet")
    names = {demo.NETWORK, *default_studies(folder)}
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
    studies = default_studies(clone)
    differences = []
    for network, groups in params["networks"].items():
        if network == demo.NETWORK:
            continue
        study = next((s for s in studies.values() if s.network == network), None)
        if study is None or not (clone / "artifacts" / "simulation" / study.name).is_dir():
            print(f"skipped {network}: no study of it is committed")
            continue
        if not has_raw_data(clone, groups["data"]):
            print(f"skipped {network}: the raw data of {groups['data']} are not in DATA_ROOT")
            continue
        differences += attempted(network, partial(verify_study, clone, study))
    for name in params.get("on_request") or {}:
        print(f"skipped {name}: the weights of its networks are not kept")
    return differences


def verify_study(clone: Path, study: Study) -> list[str]:
    """Converts and simulates the last point of a study from committed weights."""
    kept, set_aside = clone / "artifacts" / "simulation", clone / "set-aside"
    kept.rename(set_aside)
    point, overrides = list(study.points.items())[-1]
    try:
        run_python(clone, "-m", "ann2snn.pipeline.simulation", "run.track=false", *overrides)
    finally:
        set_aside.rename(kept)
    print(f"{study.network}: {study.name}/{point} converted and simulated")
    return compared_point(clone, study.name, point)


def compared_point(clone: Path, study: str, point: str) -> list[str]:
    """What differs of a point between the store and the committed files: its simulation, and the
    conversion that the simulation names as its input."""
    artifacts = clone / "artifacts"
    record = Record.read(artifacts / "simulation" / study / f"{point}.json")
    keys = {"conversion": record.parents["conversion"], "simulation": record.key}
    differences = []
    for step, key in keys.items():
        expected = artifacts / step / study / f"{point}.json"
        made = clone / "store" / step / key / "record.json"
        differences += compared(made, expected, expected.relative_to(clone).as_posix())
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
    run_python(clone, "-m", "ann2snn.pipeline.report")
    print("report from committed artifacts")
    return compared(clone / "report", clone / "kept-report", "report")


def run_python(folder: Path, *arguments: str, expect: str = "") -> None:
    """Runs Python in `folder` on that folder's own code.

    Raises:
        SettingError: the output does not begin with `expect`.
    """
    environment = {**demo.environment(folder), "DATA_ROOT": str(data_root())}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    if not done.stdout.startswith(expect):
        raise SettingError(f"the code of the clone is not what runs, but {done.stdout.strip()}")


if __name__ == "__main__":
    main()
