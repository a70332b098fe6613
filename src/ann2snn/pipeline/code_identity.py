"""Which code makes the result of a step, as one hash.

Comments and docstrings do not count. A change of code that changes no bit of the digits study can
be accepted (`make accept`): `accepted.json` then lets the new code stand for the old one, so that
keys, and the results that bear them, stay.
"""

import json
from functools import cache
from pathlib import Path

from ann2snn.records import code_hash

PACKAGE = Path(__file__).parents[1]
ACCEPTED = Path(__file__).with_name("accepted.json")

# What the stage module of a step computes with: its package and the shared modules.
CODE: dict[str, tuple[str, ...]] = {
    "data": ("data", "pipeline/data.py"),
    "ann": ("ann", "pipeline/ann.py"),
    "statistics": ("conversion", "mechanisms", "numerics", "spec", "pipeline/statistics.py"),
    "conversion": ("conversion", "mechanisms", "numerics", "spec", "pipeline/conversion.py"),
    "simulation": ("mechanisms", "numerics", "simulation", "spec", "pipeline/simulation.py"),
}


@cache
def source_hash(step: str) -> str:
    """Hash of the step's code as it stands."""
    files: list[Path] = []
    for part in CODE[step]:
        path = PACKAGE / part
        files.extend(path.rglob("*.py") if path.is_dir() else [path])
    return code_hash(files, PACKAGE)


@cache
def code_identity(step: str) -> str:
    """What stands for the step's code in run keys: its hash, or that of the code that it equals."""
    accepted = json.loads(ACCEPTED.read_text(encoding="utf-8")) if ACCEPTED.is_file() else {}
    entry = accepted.get(step, {})
    source = source_hash(step)
    return str(entry["stands_for"]) if entry.get("source") == source else source
