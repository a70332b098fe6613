"""Which code makes the result of a step, as one hash.

It is the step's room, the spec where it reads or writes one, and its file in `pipeline`. A file of
`numerics` or `mechanisms` counts where one of these imports it, and a file that adds rows to a
table (networks, data sets, mechanisms) where the settings name one of its rows: who adds another
changes nobody's keys. Settings do not count, since their values are in the key and their checks
compute nothing, nor does code that shows, checks, tracks or schedules results.

A change of code that changes no bit of the digits study can be accepted (`make accept`):
`accepted.json` then lets the new code stand for the old one, so that keys, and the results that
bear them, stay.
"""

import importlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.noted_files import read_json
from ann2snn.pipeline.source_code import code_hash, imported_modules

if TYPE_CHECKING:
    from ann2snn.config.schema import Settings

PACKAGE = Path(__file__).parents[1]
ACCEPTED = Path(__file__).with_name("accepted.json")

ROOMS: dict[str, tuple[str, ...]] = {
    "data": ("data",),
    "ann": ("ann",),
    "statistics": ("conversion", "spec"),
    "conversion": ("conversion", "spec"),
    "simulation": ("simulation", "spec"),
}
ON_DEMAND = ("numerics", "mechanisms", "ann/networks", "data/sets")
COMPUTING_NOTHING = frozenset(
    PACKAGE / name
    for name in (
        "ann/settings.py",
        "conversion/settings.py",
        "data/settings.py",
        "numerics/atomic_files.py",
        "simulation/settings.py",
    )
)
MECHANISMS = {
    "conversion.calibration": "ann2snn.mechanisms.calibrations.CALIBRATIONS",
    "conversion.input": "ann2snn.mechanisms.inputs.INPUTS",
    "conversion.normalization": "ann2snn.mechanisms.normalizations.NORMALIZATIONS",
    "conversion.output": "ann2snn.mechanisms.outputs.OUTPUTS",
    "conversion.pooling": "ann2snn.mechanisms.poolings.POOLINGS",
    "conversion.reset": "ann2snn.mechanisms.resets.RESETS",
    "conversion.spikes": "ann2snn.mechanisms.spikes.SPIKES",
}
# By step, the toggles that name a row of a table whose rows may stand in files of their own.
TABLES: dict[str, dict[str, str]] = {
    "data": {"data.name": "ann2snn.data.source.DATA_SETS"},
    "ann": {"ann.network": "ann2snn.ann.network.NETWORKS"},
    "statistics": {},
    "conversion": MECHANISMS,
    "simulation": MECHANISMS,
}


def code_identity(step: str, settings: "Settings") -> str:
    """What stands for the step's code in run keys: its hash, or that of the code that it equals."""
    source = source_hash(step, settings)
    return accepted_code().get(source, source)


def source_hash(step: str, settings: "Settings") -> str:
    """Hash of the code, as it stands, that computes the step with these settings."""
    return _hash(step, frozenset(_row_files(step, settings)))


def sources(step: str, rows: Iterable[Path] = ()) -> set[Path]:
    """The files that compute a step whose settings name rows of tables in the files `rows`."""
    on_demand = {path for folder in ON_DEMAND for path in (PACKAGE / folder).rglob("*.py")}
    rooms = {path for room in ROOMS[step] for path in (PACKAGE / room).rglob("*.py")}
    left = [*(rooms - on_demand), *rows, PACKAGE / "pipeline" / f"{step}.py"]
    found: set[Path] = set()
    while left:
        path = left.pop()
        if path not in found and path not in COMPUTING_NOTHING:
            found.add(path)
            modules = imported_modules(path.read_text(encoding="utf-8"))
            left += [each for each in on_demand if _module(each) in modules]
    return found


def _row_files(step: str, settings: "Settings") -> Iterator[Path]:
    """The files of the rows that the settings name; a user's own network is no row of a table."""
    for toggle, place in TABLES[step].items():
        group, _, name = toggle.partition(".")
        module, _, table = place.rpartition(".")
        rows = getattr(importlib.import_module(module), table)
        row = getattr(getattr(settings, group), name)
        if row in rows:
            yield rows.source_file(row)


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join((PACKAGE.name, *parts)).removesuffix(".__init__")


@cache
def _hash(step: str, rows: frozenset[Path]) -> str:
    return code_hash(sources(step, rows), PACKAGE)


@cache
def accepted_code() -> dict[str, str]:
    """What the committed results' code is called, by the hash of the code that equals it."""
    return read_json(ACCEPTED) if ACCEPTED.is_file() else {}
