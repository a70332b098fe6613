"""The page docs/add-a-thing.md, followed word for word: every recipe runs as it stands.

In a temporary copy of the project a block whose first line names a file is written there, a `diff`
is applied, `sh` and `python` without a file are run, and a `text` after them is what they print;
if it begins with `error:`, the last command fails.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs" / "add-a-thing.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"<summary>(.*?)</summary>(.*?)</details>", SECTION, re.DOTALL))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ((?:src|conf)/\S+)\n")
PREAMBLE = "".join(text for _, text in BLOCK.findall(SECTION.split("<details>")[0]))


def project(folder: Path) -> Path:
    """A copy of the project with its committed results of digits."""
    folder.mkdir()
    hidden = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, folder / name, ignore=hidden)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    for kept in (ROOT / "artifacts").glob("*/digits*"):
        shutil.copytree(kept, folder / kept.relative_to(ROOT))
    return folder


def blocks(recipe: str) -> Iterator[tuple[str, str, str]]:
    """Kind, content and expected output of each block."""
    for (kind, content), (after, told) in pairwise([*BLOCK.findall(recipe), ("", "")]):
        if kind != "text":
            yield kind, content, told if after == "text" else ""


def apply(diff: str, folder: Path) -> None:
    """Does what a person does with a diff: finds the place and puts the new lines in."""
    head, *lines = diff.splitlines(keepends=True)
    path = folder / head.removeprefix("--- ").strip()
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} has not exactly one place for:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def run(kind: str, content: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a block in `folder`, on the code there; a shell stops at the first failure."""
    if kind == "sh":
        command = ["bash", "-e", "-o", "pipefail", "-c", f"{PREAMBLE}\n{content}"]
    else:
        command = [sys.executable, "-c", content]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_section_has_a_recipe_for_everything_that_can_be_added() -> None:
    words = " ".join(RECIPES)
    for thing in (
        "named choice", "study", "toggle", "network", "data set", "figure", "reset", "pooling",
        "normalization", "layer kind", "kind of node", "engine",
    ):  # fmt: skip
        assert thing in words, thing
    assert "QUICK=" in PREAMBLE


@pytest.mark.parametrize("folder", ["ann/networks", "data/sets"])
def test_a_file_that_registers_a_row_stands_alone(folder: str) -> None:
    """Results are keyed by the file of the network and of the data set that they use, alone."""
    paths = list((ROOT / "src" / "ann2snn" / folder).glob("[a-z]*.py"))
    assert len(paths) >= 3
    for path in paths:
        assert f"ann2snn.{folder.replace('/', '.')}" not in path.read_text(encoding="utf-8"), path


@pytest.mark.system  # a real process for each command: minutes
@pytest.mark.parametrize("thing", RECIPES)
def test_a_recipe_does_what_it_says(thing: str, tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    ran = 0
    for kind, content, told in blocks(RECIPES[thing]):
        if kind == "diff":
            apply(content, folder)
        elif place := FILE.match(content):
            path = folder / place[1]
            assert not path.exists(), f"{place[1]} is there already"
            path.write_text(content, encoding="utf-8")
        else:
            done = run(kind, content, folder)
            assert (done.returncode != 0) == told.startswith("error:"), done.stdout
            for line in told.splitlines():
                assert line in done.stdout, done.stdout
            ran += 1
    assert ran, "a recipe shows that the thing is there"
