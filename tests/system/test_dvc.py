"""DVC in a clone without raw data: what makes stages stale, and that they then compute nothing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone") / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def run(clone: Path, *words: str) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "src"),
        "DATA_ROOT": str(clone.parent / "raw"),
    }
    done = subprocess.run(
        words, cwd=clone, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def comment(clone: Path, *rooms: str) -> None:
    for room in rooms:
        for path in (clone / "src" / "ann2snn" / room).rglob("*.py"):
            with path.open("a", encoding="utf-8") as file:
                file.write("# a comment\n")


def stale(clone: Path) -> list[str]:
    lines = run(clone, "dvc", "status").splitlines()
    return [line.removesuffix(":") for line in lines if line.endswith(":") and line[0] != "\t"]


def test_comments_where_nothing_is_computed_leave_all_stages_as_they_are(clone: Path) -> None:
    assert stale(clone) == []
    comment(clone, "commands", "config", "sweep", "tracking")
    assert stale(clone) == []
    comment(clone, "report")
    assert stale(clone) == ["report"]
    run(clone, "git", "checkout", "--quiet", ".")


def test_after_comments_everywhere_dvc_finds_all_results_and_changes_none(clone: Path) -> None:
    started = time.monotonic()
    run(clone, "dvc", "repro", "--quiet")
    assert time.monotonic() - started < 20
    comment(clone, "")
    assert len(stale(clone)) > 40
    run(clone, "dvc", "repro", "--quiet", "simulation")
    changed = run(clone, "git", "status", "--porcelain", "artifacts", "report").split()
    assert changed in ([], ["M", "artifacts/machines.json"])
    now = json.loads((clone / "artifacts" / "machines.json").read_text())
    before = json.loads(run(clone, "git", "show", "HEAD:artifacts/machines.json"))
    others = {name for name in {*now, *before} if now.get(name) != before.get(name)}
    assert others <= {"data/digits"}  # the one result that is made here, by this machine
    assert not list((clone / "store").glob("[!adl]*"))
    run(clone, "git", "checkout", "--quiet", ".")


def test_an_experiment_changes_the_toggle_of_one_study(clone: Path) -> None:
    toggle = 'studies.digits-theory.points.zero=["conversion.reset=zero","simulation.images=10"]'
    run(clone, "git", "config", "user.name", "n")
    run(clone, "git", "config", "user.email", "e@e")
    run(clone, "dvc", "exp", "run", "--quiet", "-S", toggle, "simulation@digits-theory")
    told = run(clone, "dvc", "params", "diff")
    assert "studies.digits-theory.points.zero" in told
    assert "cifar10" not in told
    changed = run(clone, "git", "status", "--porcelain", "artifacts").split()
    assert "artifacts/simulation/digits-theory/zero.json" in changed
    assert not [name for name in changed if name.endswith("poisson.json")]
