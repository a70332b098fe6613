"""Lets changed code stand for the code of the committed results, if it changes no bit of digits.

`python -m ann2snn.commands.accept` runs the digits studies from nothing with the code as it is and
compares weights, metrics, curves and tables with the committed ones. If all are equal, it writes
`accepted.json`: run keys stay as they are, and `dvc repro` finds every result instead of computing
it. Digits cannot prove everything: a change that only other networks or data can show (another
kind of layer, another source of data) is to be recomputed instead.
"""

import sys
import tempfile
from pathlib import Path

from ann2snn.commands import demo
from ann2snn.pipeline.code_identity import ACCEPTED, source_hash
from ann2snn.records import Record, write_json


def main() -> None:
    """Says which steps' code was accepted, or what differs; exits with 1 then."""
    project = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="accept-") as temporary:
        folder = Path(temporary) / "digits"
        demo.prepare(project, folder, tracked=False)
        (folder / "src" / "ann2snn" / "pipeline" / ACCEPTED.name).unlink(missing_ok=True)
        demo.dvc(folder, "repro", "--quiet")
        differences = list(different_results(folder / "artifacts", project / "artifacts"))
    if differences:
        print("not accepted; other results than the committed ones:", *differences, sep="\n  ")
        sys.exit(1)
    identities = committed_identities(project)
    accepted = {
        step: {"source": source_hash(step), "stands_for": identities[step]}
        for step in identities
        if source_hash(step) != identities[step]
    }
    write_json(ACCEPTED, accepted)
    print("accepted:", ", ".join(accepted) or "nothing had changed")


def committed_identities(project: Path) -> dict[str, str]:
    """What stands for each step's code in the keys of the committed digits results."""
    folder = project / "artifacts" / "simulation"
    for path in sorted(folder.glob(f"{demo.NETWORK}-*/*.json")):
        if path.name != "study.json":
            conversion = project / "artifacts" / "conversion" / path.relative_to(folder)
            records = (Record.read(path), Record.read(conversion))
            return {k: v for record in records for k, v in record.details["code"].items()}
    raise FileNotFoundError(f"no digits results are committed under {folder}")


def different_results(made: Path, committed: Path) -> list[str]:
    """The files under `made` that say something else than the committed ones, keys apart."""
    different = []
    for path in sorted(made.glob("*/*/*")):
        other = committed / path.relative_to(made)
        name = path.relative_to(made).as_posix()
        if path.name == "study.json":
            continue
        if not other.is_file() or _content(path) != _content(other):
            different.append(name)
    return different


def _content(path: Path) -> object:
    try:
        record = Record.read(path)
    except ValueError:
        return path.read_bytes()
    details = {name: value for name, value in record.details.items() if name != "code"}
    return (record.settings, record.metrics, record.curves, details)


if __name__ == "__main__":
    main()
