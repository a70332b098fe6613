"""A weights file and a user's network are keyed by their content, not by their names."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ann2snn.ann.settings import AnnSettings
from ann2snn.config.schema import Settings
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.user_files import given
from ann2snn.records import file_sha256
from ann2snn.settings import SettingError, shaping_values
from tests.pipeline.project import QUICK, environment, make_project, run_stage

MODEL = """
from torch import nn
from pets.layers import width

def make(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, classes))
"""


def test_built_in_networks_without_weights_are_keyed_as_by_their_toggles() -> None:
    settings = Settings(ann=AnnSettings(network="mnist_cnn"))
    assert given(settings.ann) == {}
    assert Chain(settings).toggles("ann") == shaping_values(settings.ann)


def test_weights_are_their_bytes_wherever_the_file_lies(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"other")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (
        Chain(Settings(ann=AnnSettings(weights=str(tmp_path / name)))).toggles("ann")
        for name in "abc"
    )
    assert a == b
    assert a["weights"] == file_sha256(tmp_path / "a")
    assert a != c
    assert str(tmp_path) not in json.dumps(a)


def test_overwritten_weights_are_another_key_and_a_chain_keeps_the_one_it_has(
    tmp_path: Path,
) -> None:
    settings = Settings(ann=AnnSettings(weights=str(tmp_path / "w")))
    (tmp_path / "w").write_bytes(b"one")
    chain = Chain(settings, tmp_path)
    before = chain.key("ann")
    (tmp_path / "w").write_bytes(b"other")
    assert Chain(settings, tmp_path).key("ann") != before
    assert chain.key("ann") == before


def code_of(network: str, folder: Path) -> str:
    """The hash that a new process takes, which imports nothing for it."""
    code = (
        "import sys\n"
        "from ann2snn.ann.settings import AnnSettings\n"
        "from ann2snn.pipeline.user_files import given\n"
        f"print(given(AnnSettings(network={network!r}))['network_code'])\n"
        "assert not {'pets', 'torch'} & set(sys.modules)\n"
    )
    paths = os.pathsep.join([str(folder), environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment(), "PYTHONPATH": paths},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("package", [True, False], ids=["package", "plain folder"])
def test_a_networks_code_is_all_of_its_package_but_comments(tmp_path: Path, package: bool) -> None:
    pets = tmp_path / "pets"
    pets.mkdir()
    (pets / "model.py").write_text(MODEL)
    (pets / "layers.py").write_text("width = 9\n")
    if package:
        (pets / "__init__.py").touch()
    before = code_of("pets.model:make", tmp_path)
    (pets / "layers.py").write_text("width = 9  # wide enough\n")
    assert code_of("pets.model:make", tmp_path) == before
    moved = tmp_path / "elsewhere"
    shutil.copytree(pets, moved / "pets")
    assert code_of("pets.model:make", moved) == before
    (pets / "layers.py").write_text("width = 10\n")
    assert code_of("pets.model:make", tmp_path) != before


def test_the_code_of_a_single_module_is_its_file(tmp_path: Path) -> None:
    (tmp_path / "lone.py").write_text(MODEL)
    (tmp_path / "unrelated.py").write_text("x = 1\n")
    before = code_of("lone:make", tmp_path)
    (tmp_path / "unrelated.py").write_text("x = 2\n")
    assert code_of("lone:make", tmp_path) == before
    (tmp_path / "lone.py").write_text(MODEL.replace("ReLU", "ReLU6"))
    assert code_of("lone:make", tmp_path) != before


@pytest.mark.parametrize(
    ("toggles", "message"),
    [
        ({"weights": "gone.safetensors"}, "ann.weights must be a file, .*'gone.safetensors'"),
        ({"weights": "."}, r"ann.weights must be a file, there is none at '\.'"),
        ({"network": "no_pets.model:make"}, "there is no module no_pets; is its folder on"),
        ({"network": "json.no_pets:make"}, "there is no module json.no_pets"),
        ({"network": "sys:make"}, "sys must be a Python file that can be read, .* built-in"),
    ],
)
def test_what_is_not_there_is_told_before_data_are_loaded(
    toggles: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chain = Chain(Settings(ann=AnnSettings(**toggles)), tmp_path)
    with pytest.raises(SettingError, match=message):
        chain.obtain("simulation")
    assert not (tmp_path / "store").exists()


def test_source_that_is_no_python_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_pets").mkdir()
    (tmp_path / "broken_pets" / "model.py").write_text("def make(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingError, match=r"ann.network broken_pets.model:make: model.py is not"):
        given(AnnSettings(network="broken_pets.model:make"))


def test_what_lies_beside_a_network_may_be_no_python_but_counts(tmp_path: Path) -> None:
    pets = tmp_path / "pets"
    (pets / ".venv").mkdir(parents=True)
    (pets / "env").mkdir()
    (pets / "env" / "pyvenv.cfg").touch()
    (pets / "model.py").write_text(MODEL)
    (pets / "template.py").write_text("class {{ name }}:\n")
    before = code_of("pets.model:make", tmp_path)
    for hidden in (".venv", "env"):
        (pets / hidden / "package.py").write_text("more = 1\n")
    assert code_of("pets.model:make", tmp_path) == before
    (pets / "template.py").write_text("class {{ other }}:\n")
    assert code_of("pets.model:make", tmp_path) != before


def test_a_changed_network_and_changed_weights_are_computed_anew(tmp_path: Path) -> None:
    """From the command line: the user's folder beside conf/, each change a result of its own."""
    project = make_project(tmp_path / "project")
    pets = project / "pets"
    pets.mkdir()
    (pets / "model.py").write_text(MODEL)
    (pets / "layers.py").write_text("width = 9\n")
    own = ["data=digits", "run.track=false", *QUICK, "ann.network=pets.model:make"]

    def trained(*more: str) -> tuple[str, bytes]:
        done = run_stage(project, "ann", *own, *more)
        assert done.returncode == 0, done.stderr
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("ann ")]
        (folder,) = (project / "store" / "ann").glob(f"{line.split()[1]}*")
        text = (folder / "record.json").read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        return folder.name, (folder / "weights.safetensors").read_bytes()

    first, weights = trained()
    (pets / "layers.py").write_text("width = 12\n")
    second, other = trained()
    assert first != second
    assert weights != other
    (project / "w.safetensors").write_bytes(other)
    third, given_weights = trained("ann.weights=w.safetensors")
    assert given_weights == other
    (project / "w.safetensors").write_bytes(weights)
    done = run_stage(project, "ann", *own, "ann.weights=w.safetensors")
    assert done.returncode == 1
    assert "does not fit the network" in done.stderr
    assert third not in (first, second)
