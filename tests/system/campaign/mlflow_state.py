"""All that an MLflow store in a sqlite file shows of a project, without what may differ: the ids
that MLflow draws, times, and who sent a run."""

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

PRIVATE = ("sender", "mlflow.user", "mlflow.log-model.history")
Shown = dict[str, dict[str, Any]]


def state_of(project: Path, database: Path | None = None, artifacts: Path | None = None) -> Shown:
    """What is shown of each run by its key; a second run of a key is `<key> again`."""
    place = database or project / "mlflow.db"
    with closing(sqlite3.connect(f"{place.absolute().as_uri()}?mode=ro", uri=True)) as file:
        runs = file.execute(
            "SELECT run_uuid, runs.name, status, experiments.name, tags.value FROM runs"
            " JOIN experiments ON experiments.experiment_id = runs.experiment_id"
            " JOIN tags USING (run_uuid)"
            " WHERE tags.key = 'run_key' AND runs.lifecycle_stage = 'active'"
        ).fetchall()
        keys = {run: key for run, _, _, _, key in runs}
        found: Shown = {}
        for run, name, status, experiment, key in sorted(runs):
            content: dict[str, Any] = {"run": (name, status, experiment)}
            for table in ("tags", "params", "metrics"):
                step = ", step" if table == "metrics" else ""
                query = f"SELECT key, value{step} FROM {table} WHERE run_uuid = ?"
                rows = file.execute(query, (run,)).fetchall()
                content[table] = sorted(
                    tuple(_without_ids(part, keys) for part in row)
                    for row in rows
                    if row[0] not in PRIVATE
                )
            content["files"] = _files(artifacts or project / "mlartifacts", run)
            query = "SELECT count(*) FROM logged_models WHERE source_run_id = ?"
            query += " AND lifecycle_stage = 'active' AND status = 2"
            content["models"] = file.execute(query, (run,)).fetchone()[0]
            found[f"{key} again" if key in found else key] = content
    return found


def _without_ids(part: Any, keys: dict[str, str]) -> Any:
    if not isinstance(part, str):
        return part
    for run, key in keys.items():
        part = part.replace(run, f"run of {key}")
    return re.sub(r"experiments/\d+", "experiments/N", re.sub(r"m-[0-9a-f]{32}", "a model", part))


def _files(artifacts: Path, run: str) -> list[tuple[str, str]]:
    """Names and hashes of a run's own artifacts."""
    return sorted(
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for folder in artifacts.rglob(run)
        for path in folder.rglob("*")
        if path.is_file()
    )
