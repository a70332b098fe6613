"""A plan says what is done, what is open and how long that took, and does none of it."""

import json
import shutil
from pathlib import Path

import pytest

from ann2snn.config.composition import composed
from ann2snn.noted_files import note_files, write_json
from ann2snn.pipeline.chain import Chain
from ann2snn.settings import SettingError
from ann2snn.sweep.plan import print_plan
from tests.pipeline.project import QUICK, make_project, result_files, run_stage

POINT = ["data=digits", *QUICK]
SECONDS = {"data": 1000, "ann": 100, "statistics": 20, "conversion": 7, "simulation": 30}


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one result, whose steps took SECONDS."""
    project = make_project(tmp_path_factory.mktemp("computed") / "project")
    done = run_stage(project, "simulation", "run.track=false", *POINT)
    assert done.returncode == 0, done.stderr
    for step, seconds in SECONDS.items():
        (path,) = (project / "store" / step).glob("*/provenance.json")
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "seconds": seconds})
        note_files(path.parent, f"{step} {path.parent.name}")
    return project


@pytest.fixture
def project(computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(computed, copy)
    monkeypatch.chdir(copy)
    return copy


def plan(capsys: pytest.CaptureFixture[str], *points: list[str]) -> list[str]:
    print_plan("simulation", list(points))
    return capsys.readouterr().out.splitlines()


def test_a_point_is_done_or_open_from_its_first_missing_step(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = result_files(project)
    other = [*POINT, "conversion.percentile=95"]
    again = [*POINT, "conversion.percentile=95.0", "conversion.reset=zero"]
    anew = [*POINT, "ann.seed=1"]
    lines = plan(capsys, POINT, other, again, anew)
    states = [line.rpartition(": ")[2] for line in lines[:-1]]
    assert lines[0].endswith(": done")
    assert states[1:3] == ["conversion, simulation"] * 2
    assert states[3] == "ann, statistics, conversion, simulation"
    assert lines[-1] == "4 points; 8 results to compute, about 231 s"
    assert result_files(project) == before


def test_what_artifacts_keep_is_done_though_the_store_is_empty(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = Chain(composed(POINT))
    kept = {"data": "digits/record.json", "simulation": "study/point.json"}
    for step, name in kept.items():
        chain.record(step).write(project / "artifacts" / step / name)
    shutil.copytree(chain.obtain("ann"), project / "artifacts" / "ann" / "digits")
    (project / "artifacts" / "ann" / "digits" / "provenance.json").unlink()
    shutil.rmtree(project / "store")
    lines = plan(capsys, POINT, [*POINT, "conversion.percentile=95"])
    assert lines[0].endswith(": done")
    assert lines[1].endswith(": open: data, statistics, conversion, simulation")
    assert lines[2] == (
        "2 points; 4 results to compute, about 0 s and 4 of a kind not computed before"
    )
    assert not (project / "store").exists()


def test_without_data_the_plan_says_that_nothing_is_known_and_loads_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "raw"))
    lines = plan(capsys, POINT, ["data=cifar10"], ["data=cifar10", "conversion.reset=zero"])
    assert [line.rpartition(": ")[2] for line in lines[:3]] == ["not known"] * 3
    assert lines[3] == (
        "3 points; of 1 on digits nothing is known until the data are loaded:"
        " python -m ann2snn.pipeline.data data=digits; of 2 on cifar10 nothing is known until the"
        " data are loaded: python -m ann2snn.pipeline.data data=cifar10"
    )
    print_plan("data", [["data=digits"]])
    assert capsys.readouterr().out.splitlines()[0] == "data=digits: open: data"
    with pytest.raises(SettingError, match=r"ann\.weights must be a file"):
        print_plan("simulation", [[*POINT, "ann.weights=gone"]])
    assert not (project / "store").exists()
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("simulation.images=500", "simulation.images must be at most 360"),
        ("ann.weights=gone", "ann.weights must be a file"),
        ("data.path=pets", "data.path must be '' unless data=folder"),
    ],
)
def test_a_point_that_cannot_be_is_told_in_one_line_before_any_other(
    wrong: str, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingError, match=message) as told:
        print_plan("simulation", [POINT, [*POINT[:-1], wrong]])
    assert "\n" not in str(told.value)
    assert capsys.readouterr().out == ""
