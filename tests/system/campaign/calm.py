"""The undisturbed project that every case starts from and is compared with, and its commands."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ann2snn.pipeline.application import run
from ann2snn.records import Store
from tests.pipeline.project import QUICK, environment, make_project, result_files, stage_command
from tests.system.campaign.cases import Told
from tests.system.campaign.mlflow_state import Shown, state_of

ARGUMENTS = ["run.track=false", *QUICK, "simulation.block=20"]
STEPS = ("data", "ann", "statistics", "conversion", "simulation")
POINTS = "conversion.percentile=99,100"
SWEEPS = {
    "serial": ["-m", "run.name=serial", POINTS],
    "joblib": [
        "-m", "run.name=joblib", POINTS, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"
    ],
}  # fmt: skip
SYNC = "sync"
COMMANDS = (*STEPS, *SWEEPS, SYNC)
WANTED = "wanted.json"


def command_of(name: str) -> list[str]:
    """The command line of a step, a sweep or the sync to MLflow."""
    if name == SYNC:
        return [sys.executable, "-m", "ann2snn.tracking"]
    step = name if name in STEPS else "simulation"
    return stage_command(step, *SWEEPS.get(name, ()), *ARGUMENTS)


def make_calm(folder: Path) -> Path:
    """A project with the results of every command, and a note of which results each one gives."""
    calm = make_project(folder)
    wanted: dict[str, list[str]] = {}
    for name in (*STEPS, "serial"):
        before = set(result_files(calm))
        published = ["run.publish=digits"] if name in ("data", "ann") else []
        code, said = called(calm, name, *published)
        assert code == 0, said
        step = "simulation" if name == "serial" else name
        wanted[name] = [
            each for each in set(result_files(calm)) - before if each.startswith(f"{step}/")
        ]
    wanted["joblib"] = wanted["serial"]
    (calm / WANTED).write_text(json.dumps(wanted), encoding="utf-8")
    return calm


def make_calm_runs(calm: Path) -> None:
    """Sends the results of the calm project to its own MLflow store, by the command that the cases
    disturb."""
    subprocess.run(command_of(SYNC), cwd=calm, env=environment(), check=True, capture_output=True)


def copied(calm: Path, place: Path, *, runs: bool = False) -> None:
    """A copy of the calm project, without its MLflow store unless `runs` asks for that."""
    left_out = () if runs else ("mlflow.db*", "mlartifacts")
    shutil.copytree(
        calm, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("locks", *left_out)
    )


def called(
    project: Path, name: str, *more: str, arguments: Sequence[str] = ARGUMENTS
) -> tuple[int, str]:
    """Exit code and words of a step or a serial sweep that runs in this process."""
    said, here, argv = io.StringIO(), Path.cwd(), sys.argv
    os.chdir(project)
    step = name if name in STEPS else "simulation"
    words = [*SWEEPS.get(name, ()), *arguments, *more]  # Hydra's flags stand before all overrides
    sys.argv = ["stage", *sorted(words, key=lambda word: not word.startswith("-"))]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            run(step)
        return 0, said.getvalue()
    except SystemExit as end:
        return int(str(end.code or 0)), said.getvalue()
    finally:
        os.chdir(here)
        sys.argv = argv


def compared(place: Path, calm: Path, name: str, words: str, shown: Shown | None = None) -> Told:
    """Whether everything that a command gives is there, once, with the bytes of the undisturbed
    one; and of the rest, which nothing may have read, no damaged record would be believed. `shown`
    is what MLflow shows, if not by the project's own file."""
    if name == SYNC:
        yield from _compared_runs(shown or state_of(place), state_of(calm), words)
        return
    wanted = json.loads((calm / WANTED).read_text(encoding="utf-8"))[name]
    store = Store(place / "store")
    right = result_files(calm)
    mine = {k: v for k, v in result_files(place).items() if "." not in k.split("/")[1]}
    for path, content in right.items():
        step, key = path.split("/")[:2]
        if path not in mine:
            if path in wanted:
                yield "lost", f"{words}: {path}"
        elif mine[path] != content and (path in wanted or store.has(step, key)):
            yield "silently wrong", f"{words}: {path}"
    if set(mine) - set(right):
        yield "doubled", f"{words}: {sorted(set(mine) - set(right))}"
    if name in SWEEPS:
        yield from _compared_sweep(place, calm, name, words)


def _compared_sweep(place: Path, calm: Path, name: str, words: str) -> Told:
    content = json.loads((place / "store" / "sweeps" / name / "sweep.json").read_text())
    right = json.loads((calm / "store" / "sweeps" / "serial" / "sweep.json").read_text())
    if content["points"] != right["points"]:
        yield "silently wrong", f"{words}: the table of the sweep: {content['points']}"


def _compared_runs(mine: Shown, right: Shown, words: str) -> Told:
    for key, own in mine.items():
        if key.count("again"):
            yield "doubled", f"{words}: the run {key}"
        elif key not in right:
            yield "doubled", f"{words}: the run {key} is of nothing"
        elif own != right[key]:
            parts = [part for part in own if own[part] != right[key][part]]
            told = str([(own[part], right[key][part]) for part in parts])[:2000]
            yield "silently wrong", f"{words}: {parts} of the run {key}: {told}"
    for key in set(right) - set(mine):
        yield "lost", f"{words}: the run {key}"
