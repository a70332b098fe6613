"""The wheel in an environment that has nothing but what the wheel asks for.

torch is large, so the packages that the wheel's metadata name, and those that these name, are
linked from this environment; no other package can be imported there.
"""

import importlib.metadata as metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PIPELINE = [
    "dvc",
    "hydra",
    "matplotlib",
    "mlflow",
    "pandas",
    "PIL",
    "pytorch_lightning",
    "sklearn",
    "torchvision",
    "yaml",
]
pytestmark = pytest.mark.system


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints, on no code but its own interpreter's."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=own, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def core() -> set[str]:
    """The distributions that the wheel needs without extras, and all that these need."""
    left = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    found: set[str] = set()
    while left:
        wanted = Requirement(left.pop())
        if (wanted.marker is None or wanted.marker.evaluate({"extra": ""})) and (
            wanted.name not in found
        ):
            found.add(wanted.name)
            left += metadata.requires(wanted.name) or []
    return found


def link(name: str, target: Path) -> None:
    """Links the folders and files of a distribution into another environment, which gets a copy of
    its metadata."""
    distribution = metadata.distribution(name)
    for top in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
        source, place = Path(str(distribution.locate_file(top))), target / top
        if top.endswith(".dist-info"):  # uv passes over links to these
            shutil.copytree(source, place)
        elif source.exists() and not place.exists() and top != "__pycache__":
            place.symlink_to(source)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("source") / "project"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    hidden = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", copy / "src", ignore=hidden)
    build = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
    run(sys.executable, "-W", "ignore", "-c", build, copy / "dist", folder=copy)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    interpreter = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in core():
        link(name, site)
    uv: list[str | Path] = [Path(sys.executable).with_name("uv"), "pip"]
    run(*uv, "install", "--quiet", "--no-deps", "--python", interpreter, wheel, folder=folder)
    run(*uv, "check", "--python", interpreter, folder=folder)
    return interpreter


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    package = ROOT / "src" / "ann2snn"
    own = {
        path.relative_to(ROOT / "src").as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == own
    assert len([name for name in own if not name.endswith(".py")]) >= 6


def test_readmes_quick_start_runs_with_no_more_than_the_wheel_asks_for(
    python: Path, tmp_path: Path
) -> None:
    absent = f"import importlib.util as u; print([n for n in {PIPELINE} if u.find_spec(n)])"
    assert run(python, "-c", absent, folder=tmp_path).strip() == "[]"
    block = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M)[0]
    (tmp_path / "start.py").write_text(block)
    said = run(python, "start.py", folder=tmp_path)
    assert "neuron" in said


def test_the_command_says_which_packages_the_pipeline_is_missing(
    python: Path, tmp_path: Path
) -> None:
    command = python.with_name("ann2snn")
    assert "simulate" in run(command, "--help", folder=tmp_path)
    done = subprocess.run([command, "simulate"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'ann2snn[pipeline]'" in done.stderr
    assert "Traceback" not in done.stderr
