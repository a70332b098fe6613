"""Lets changed code stand for the code of the committed results, if it changes no bit of digits.

`python -m ann2snn.commands.accept` runs the digits studies from nothing with the code as it is and
compares weights, metrics, curves and tables with the committed ones. Where these do not come out,
as on another processor, it runs them by the committed code as well, which must stand for the
results already, and compares with that. If all are equal, it writes `accepted.json`: run keys stay
as they are, and `dvc repro` finds every result instead of computing it. Digits cannot prove
everything: a change that only other networks or data can show (another kind of layer, another
source of data) is to be recomputed instead.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from ann2snn.commands import demo
from ann2snn.commands.verify import clone_project
from ann2snn.errors import errors_are_told
from ann2snn.pipeline.artifacts import recorded_settings
from ann2snn.pipeline.chain import PARENTS
from ann2snn.pipeline.code_identity import ACCEPTED, accepted_code, source_hash
from ann2snn.records import Record, record_files, write_json
from ann2snn.settings import SettingError


def main() -> None:
    """Says which steps' code was accepted, or what differs; exits with 1 then."""
    project = Path.cwd()
    with errors_are_told(), tempfile.TemporaryDirectory(prefix="accept-") as temporary:
        differences = changed_results(project, Path(temporary))
    if differences:
        print("not accepted; other results than before:", *differences, sep="\n  ")
        sys.exit(1)
    accepted, steps = stand_ins(project)
    ACCEPTED.unlink(missing_ok=True)
    if accepted:
        write_json(ACCEPTED, accepted)
    print("accepted:", ", ".join(steps) or "nothing had changed")


def changed_results(project: Path, temporary: Path) -> list[str]:
    """The results of digits in which the code as it is differs from the committed results, and, on
    a machine where these do not come out, from the committed code.

    Raises:
        SettingError: the committed code does not stand for the results, or git is not there.
        subprocess.CalledProcessError: a stage failed.
    """
    new = digits_by(project, temporary / "new")
    if not different_results(new, project / "artifacts"):
        return []
    print("the committed results do not come out; the committed code runs here too", flush=True)
    clone_project(project, temporary / "clone")
    check = [sys.executable, "-c", "from ann2snn.commands import accept; accept.require_accepted()"]
    environment = demo.environment(temporary / "clone")
    if subprocess.run(check, cwd=temporary / "clone", env=environment, check=False).returncode:
        raise SettingError("the committed code does not stand for the committed results either")
    return different_results(new, digits_by(temporary / "clone", temporary / "old"))


def digits_by(project: Path, folder: Path) -> Path:
    """The results of the digits studies, from nothing, by the code of `project`."""
    demo.prepare(project, folder, tracked=False)
    (folder / "src" / "ann2snn" / "pipeline" / ACCEPTED.name).unlink(missing_ok=True)
    demo.dvc(folder, "repro", "--quiet")
    return folder / "artifacts"


def require_accepted() -> None:
    """Ends the program with 1 unless this code stands for the results of the project around it."""
    needed = stand_ins(Path.cwd())[0]
    sys.exit(not needed.items() <= accepted_code().items())


def stand_ins(project: Path) -> tuple[dict[str, str], list[str]]:
    """By the hash of code as it stands, what stands for it in the keys of the committed results;
    and the steps of which some code differs."""
    accepted, steps = {}, []
    for step in PARENTS:
        for path in record_files(project, step):
            record = Record.read(path)
            settings = recorded_settings(record)
            for name, identity in record.details["code"].items():
                source = source_hash(name, settings)
                if source != identity:
                    accepted[source] = identity
                    steps.append(name)
    return accepted, list(dict.fromkeys(steps))


def different_results(made: Path, committed: Path) -> list[str]:
    """The files that say something else on the two sides, keys apart, or stand on one side only.
    Studies that only one side has, such as one that was never committed, are not compared."""
    both = {path.name for path in made.glob("*/*")} & {path.name for path in committed.glob("*/*")}
    files = {
        path.relative_to(side)
        for side in (made, committed)
        for path in side.glob("*/*/*")
        if path.parent.name in both and path.name != "study.json"
    }
    differ = [path for path in files if _content(made / path) != _content(committed / path)]
    return sorted(path.as_posix() for path in differ)


def _content(path: Path) -> object:
    """What a record says, or else a file's bytes; None where there is no file."""
    if not path.is_file():
        return None
    try:
        record = Record.read(path)
    except ValueError:
        return path.read_bytes()
    details = {name: value for name, value in record.details.items() if name != "code"}
    # a record made before a toggle was added does not name it, which means its neutral value
    return (recorded_settings(record), record.metrics, record.curves, details)


if __name__ == "__main__":
    main()
