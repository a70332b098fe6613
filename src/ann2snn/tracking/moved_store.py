"""A sqlite store whose folder was moved or copied: its artifacts are where the folder is now.

MLflow keeps the place of artifacts with every experiment, run and model, and lets nobody change it.
A place that names no folder would outlive a move, but only a server could list what is there: so
the store names the folder, and is told where that is whenever results are sent or shown.
"""

import sqlite3
from contextlib import closing

from ann2snn.tracking.naming import folder_name
from ann2snn.tracking.server import ARTIFACTS, SCHEME, Place

PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def point_to_artifacts(place: Place) -> None:
    """Makes a sqlite store's own experiments name the folder of artifacts that lies beside it.

    A file of another layout is left to MLflow, and so is an experiment of anyone else's.
    """
    if place.database is None or not place.database.is_file():
        return
    try:
        if _moved(place):
            with place.alone():
                for old, new in _moved(place).items():
                    _move(place, old, new)
    except sqlite3.Error:
        return


def _moved(place: Place) -> dict[str, str]:
    """Old and new places of the experiments that do not name the folder."""
    assert place.database is not None
    with closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as file:
        there = file.execute("SELECT name, artifact_location FROM experiments").fetchall()
    wanted = {name: place.location(name) for name, _ in there}
    return {
        old: wanted[name]
        for name, old in there
        if old != wanted[name] and _is_own(old or "", folder_name(name))
    }


def _is_own(location: str, folder: str) -> bool:
    """Whether a place is one that this program gave to an experiment."""
    root, _, last = location.rpartition("/")
    given = f"{root}/" == SCHEME or (root.startswith("file://") and root.endswith(f"/{ARTIFACTS}"))
    return given and last == folder


def _move(place: Place, old: str, new: str) -> None:
    assert place.database is not None
    with closing(sqlite3.connect(place.database)) as file, file:
        for table, column in PLACES:
            file.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?)"  # noqa: S608
                f" WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
            )
