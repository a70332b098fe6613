"""How long each step took before, by network: kept in an index that the records can always give.

`store/times/<step>.json` names network and seconds of each result by key. A result that is missing
there is read once and added; an index that is lost or damaged is made anew.
"""

import contextlib
import statistics
from functools import cache
from pathlib import Path
from typing import Any

from ann2snn.records import Json, Record, Store, known, read_json, write_json

Times = dict[str, list[float]]


def usual_seconds(store: Store, step: str, network: str) -> float | None:
    """Median seconds of a step for the same network; None where it was never computed."""
    times = _times(store.root, step)
    found = times.get(network, []) + times.get("", [])
    return statistics.median(found) if found else None


@cache
def _times(root: Path, step: str) -> Times:
    """Seconds by network; "" are those of a step that knows no network. Read once a process."""
    path = root / "times" / f"{step}.json"
    before = {key: entry for key, entry in known(path).items() if _is_entry(entry)}
    there = {folder.name for folder in Store(root).folders(step) if "." not in folder.name}
    entries = {key: entry for key, entry in before.items() if key in there}
    for key in sorted(there - set(entries)):
        entry = _entry(root / step / key)
        if entry is not None:
            entries[key] = entry
    if entries != before and root.is_dir():
        with contextlib.suppress(OSError):  # a store that can only be read
            write_json(path, entries)
    found: Times = {}
    for network, seconds in entries.values():
        found.setdefault(network, []).append(seconds)
    return found


def _is_entry(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and isinstance(entry[0], str)
        and isinstance(entry[1], float)
    )


def _entry(folder: Path) -> list[str | float] | None:
    """Network and seconds of a result; None where it does not say, as one adopted from git."""
    try:
        made: Json = read_json(folder / "provenance.json")
        network = Record.read(folder / "record.json").description.get("network", "")
        return [str(network), float(made["seconds"])]
    except (OSError, ValueError, KeyError, TypeError):
        return None
