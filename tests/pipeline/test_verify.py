"""What `make verify` says of results that differ."""

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from ann2snn.commands import demo, verify
from ann2snn.commands.verify import (
    changed_files,
    clone_project,
    print_machines,
    remove_point,
    remove_points,
)
from ann2snn.pipeline.provenance import MACHINE, note_machine, provenance
from ann2snn.pipeline.study_file import Study
from ann2snn.records import noted_machines, write_json
from ann2snn.settings import SettingError
from tests.pipeline.project import ROOT, record


def test_git_tells_every_file_that_differs_but_the_note_of_machines(tmp_path: Path) -> None:
    for name in ("artifacts/machines.json", "artifacts/a/changed", "report/gone", "same"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e",
                                                 "commit", "-qm", "m"]):  # fmt: skip
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    assert changed_files(tmp_path) == []
    (tmp_path / "artifacts" / "machines.json").write_text("2")
    (tmp_path / "artifacts" / "a" / "changed").write_text("2")
    (tmp_path / "report" / "gone").unlink()
    (tmp_path / "report" / "new").write_text("2")
    assert sorted(changed_files(tmp_path)) == ["artifacts/a/changed", "report/gone", "report/new"]


def test_a_result_computed_here_is_noted_with_its_machine_and_no_time(tmp_path: Path) -> None:
    write_json(tmp_path / "result" / "provenance.json", provenance(12.5))
    note_machine(tmp_path, "simulation/s", [tmp_path / "empty", tmp_path / "result"])
    found = noted_machines(tmp_path)
    assert set(found["simulation/s"]) == set(MACHINE)
    text = (tmp_path / "artifacts" / "machines.json").read_text(encoding="utf-8")
    assert "seconds" not in text
    assert "git" not in text


def test_a_result_from_git_stays_noted_as_it_was(tmp_path: Path) -> None:
    write_json(tmp_path / "artifacts" / "machines.json", {"simulation/s": {"processor": "other"}})
    (tmp_path / "result").mkdir()
    note_machine(tmp_path, "simulation/s", [tmp_path / "result"])
    assert noted_machines(tmp_path) == {"simulation/s": {"processor": "other"}}


def test_after_a_difference_both_machines_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"simulation/s": {"processor": "theirs"}, "simulation/t": {"processor": "unasked"}}
    write_json(tmp_path / "artifacts" / "machines.json", facts)
    print_machines(tmp_path, ["artifacts/simulation/s/point.json"])
    lines = capsys.readouterr().out.splitlines()
    own = json.loads(lines[0].removeprefix("this machine: "))
    assert own["processor"] == provenance(0)["processor"]
    assert "theirs" in lines[1]
    assert len(lines) == 2


def machines_told(
    project: Path, capsys: pytest.CaptureFixture[str], *differences: str
) -> list[str]:
    print_machines(project, list(differences))
    return capsys.readouterr().out.splitlines()[1:]


BEST = "conversion/cifar10-best, simulation/cifar10-best"
THEORY = "simulation/digits-theory"


@pytest.mark.parametrize(
    ("difference", "told"),
    [
        ("report/figures/cifar10-best.csv", [BEST]),
        ("report/figures/cifar10-best-early-exit.svg", [BEST]),
        ("report/figures/digits-theory-rates.png", [THEORY]),
        ("report/figures/cifar10-bestiary.png", []),
        ("report/report.md", ["ann/digits", f"{BEST}, {THEORY}"]),
        ("artifacts/ann/digits/weights.safetensors", ["ann/digits"]),
        ("artifacts/simulation/digits-theory/a.json", [THEORY]),
    ],
)
def test_what_differs_leads_to_the_machines_of_its_study_or_of_all(
    difference: str, told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = {"processor": "mine"}, {"processor": "other"}
    facts = {
        "ann/digits": mine, "conversion/cifar10-best": other, "simulation/cifar10-best": other,
        "simulation/digits-theory": other,
    }  # fmt: skip
    write_json(tmp_path / "artifacts" / "machines.json", facts)
    lines = machines_told(tmp_path, capsys, difference)
    assert [line.partition(":")[0] for line in lines] == told


def test_a_point_is_removed_wherever_its_results_stand(tmp_path: Path) -> None:
    for step in ("conversion", "simulation"):
        for study, point, key in (("s", "a", "1"), ("s", "p", "2"), ("t", "full", "2")):
            found = dataclasses.replace(record(), step=step, key=f"{step}{key}")
            found.write(tmp_path / "artifacts" / step / study / f"{point}.json")
    remove_point(tmp_path, Study("s", "", "", "mnist", {"a": [], "p": []}, {}))
    left = {p.relative_to(tmp_path / "artifacts").as_posix() for p in tmp_path.rglob("*.json")}
    assert left == {"conversion/s/a.json", "simulation/s/a.json"}


def test_studies_on_request_are_named_as_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params: dict[str, dict[str, object]] = {
        "networks": {},
        "studies": {},
        "on_request": {"long": {}, "longer": {}},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    remove_points(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "skipped long: the weights of its networks are not kept",
        "skipped longer: the weights of its networks are not kept",
    ]


def test_without_git_there_is_one_line_and_the_provenance_says_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match=r"^git cannot clone the project in .*repository"):
        clone_project(tmp_path, tmp_path / "clone")
    assert provenance(0)["git_dirty"] is None
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        verify.main()
    said = capsys.readouterr()
    assert end.value.code == 1
    assert said.err.startswith("error: verify clones the project, but git does not start")
    assert (said.out, said.err.count("\n")) == ("", 1)
    made = provenance(0)
    assert made["git_dirty"] is None
    assert made["git_commit"] == ""


def test_what_accept_runs_leaves_every_mlflow_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The analog network of digits is trained as `make accept` trains it."""
    users = tmp_path / "users.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{users}")
    folder = tmp_path / "digits"
    demo.prepare(ROOT, folder, tracked=False)
    demo.dvc(folder, "repro", "--quiet", "ann@digits")
    assert (folder / "artifacts" / "ann" / "digits" / "record.json").is_file()
    assert not users.exists()
    assert not (folder / "mlflow.db").exists()
    text = (folder / "dvc.yaml").read_text(encoding="utf-8")
    assert text.count("run.track=false") == 4


def test_the_demo_has_an_mlflow_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://users.server")
    found = demo.environment(tmp_path)
    assert "MLFLOW_TRACKING_URI" not in found
    assert found["PYTHONPATH"] == str(tmp_path / "src")
