"""What `make verify` says of results that differ."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from ann2snn.commands import demo, verify
from ann2snn.commands.verify import (
    attempted,
    clone_project,
    compared_point,
    print_machines,
    verify_networks,
)
from ann2snn.pipeline.provenance import MACHINE, note_machine, noted_machines, provenance
from ann2snn.records import Record, write_json
from ann2snn.settings import SettingError
from tests.pipeline.project import ROOT, record


def test_a_part_that_fails_is_told_and_the_others_go_on() -> None:
    def fails() -> list[str]:
        raise ValueError("no such point")

    assert attempted("mnist", fails) == ["failed: mnist: no such point"]
    assert attempted("digits", lambda: ["a file"]) == ["a file"]


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
    print_machines(tmp_path, ["artifacts/simulation/s/point.json; snn_accuracy 1, committed 2"])
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
        ("report/figures/cifar10-best-early-exit.svg: not made", [BEST]),
        ("report/figures/digits-theory-rates.png", [THEORY]),
        ("report/figures/cifar10-bestiary.png", []),
        ("report/report.md; line 3: 'a', committed 'b'", ["ann/digits", f"{BEST}, {THEORY}"]),
        ("artifacts/ann/digits/weights.safetensors", ["ann/digits"]),
        ("artifacts/simulation/digits-theory/a.json; key 1, committed 2", [THEORY]),
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


def test_of_a_point_the_conversion_is_compared_as_well(tmp_path: Path) -> None:
    conversion = Record("conversion", "c" * 64, {}, {}, {}, {"neurons": 9}, {}, {})
    simulation = dataclasses.replace(record(snn_accuracy=90.0), parents={"conversion": "c" * 64})
    for made in (conversion, simulation):
        made.write(tmp_path / "artifacts" / made.step / "s" / "p.json")
        made.write(tmp_path / "store" / made.step / made.key / "record.json")
    assert compared_point(tmp_path, "s", "p") == []
    changed = dataclasses.replace(conversion, metrics={"neurons": 8})
    changed.write(tmp_path / "artifacts" / "conversion" / "s" / "p.json")
    assert compared_point(tmp_path, "s", "p") == [
        "artifacts/conversion/s/p.json; neurons 9, committed 8"
    ]
    (tmp_path / "artifacts" / "conversion" / "s" / "p.json").unlink()
    assert compared_point(tmp_path, "s", "p") == ["artifacts/conversion/s/p.json: not committed"]


def test_studies_on_request_are_named_as_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params: dict[str, dict[str, object]] = {
        "networks": {},
        "studies": {},
        "on_request": {"long": {}, "longer": {}},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    assert verify_networks(tmp_path) == []
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


def test_what_verify_and_accept_run_leaves_every_mlflow_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The analog network of digits is trained as `make verify` trains it."""
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
