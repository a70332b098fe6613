"""`ann2snn reproduce`: equal results are found equal, and each cause of a difference is told."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from ann2snn.commands.reproduce import different, found_by, main, reproduced
from ann2snn.config.composition import composed
from ann2snn.pipeline import ann
from ann2snn.pipeline import chain as chain_module
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.code_identity import code_identity
from ann2snn.records import Record, write_json
from ann2snn.settings import SettingError
from tests.pipeline.project import QUICK, make_project


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project with one simulation, and the file of its record."""
    project = make_project(tmp_path_factory.mktemp("made") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        chain = Chain(composed([*QUICK, "run.track=false", "run.progress=false"]), project)
        return project, chain.result("simulation") / "record.json"


def changed(path: Path, **parts: object) -> None:
    record = dataclasses.replace(Record.read(path), **parts)  # type: ignore[arg-type]
    record.write(path)


def test_a_result_comes_out_again_and_each_cause_of_a_difference_is_told_apart(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, path = made
    monkeypatch.chdir(project)
    whole, machine = path.read_bytes(), path.with_name("provenance.json")
    record = Record.read(path)
    key = record.key[:10]

    assert reproduced(project, key)
    assert "equal, bit for bit\nmade on" in capsys.readouterr().out

    older = {group: dict(toggles) for group, toggles in record.settings.items()}
    for group, name in (
        ("ann", "activation"),
        ("conversion", "spikes"),
        ("simulation", "exit_margin"),
    ):
        older[group].pop(name)  # toggles at their neutral values, as if added since
    changed(path, settings=older)
    assert reproduced(project, key)
    assert "equal, bit for bit\nmade on" in capsys.readouterr().out

    older["conversion"]["unknown"] = 1
    changed(path, settings=older)
    assert not reproduced(project, key)
    assert "settings.conversion.unknown: only recorded" in capsys.readouterr().out
    path.write_bytes(whole)

    accuracy = record.metrics["snn_accuracy"]
    changed(path, metrics={**record.metrics, "snn_accuracy": accuracy + 1})
    assert not reproduced(project, key)
    said = capsys.readouterr().out
    assert f"metrics.snn_accuracy: {accuracy + 1!r} recorded, {accuracy!r} now" in said
    assert "the record in" in said
    assert "has been changed" in said

    provenance = json.loads(machine.read_text())
    write_json(machine, {**provenance, "processor": "another"})
    assert not reproduced(project, key)
    assert "cause: the machine differs in processor" in capsys.readouterr().out
    write_json(machine, provenance)

    path.write_bytes(whole)
    code = {**record.details["code"], "simulation": "0" * 64}
    changed(path, details={**record.details, "code": code})
    assert reproduced(project, key)
    assert "although the code of step simulation has changed since" in capsys.readouterr().out

    path.write_bytes(whole)
    others = {**record.details["code"], "ann": "0" * 64}
    changed(path, details={**record.details, "code": others})
    with monkeypatch.context() as patch:
        patch.setattr(ann, "produce", lambda *_: pytest.fail("the network is trained anew"))
        patch.setattr(
            chain_module, "code_identity",
            lambda step, settings: "1" * 64 if step == "ann" else code_identity(step, settings),
        )  # fmt: skip
        reproduced(project, key)
    assert "the code of step ann has changed since" in capsys.readouterr().out

    path.write_bytes(whole)
    changed(path, parents={**record.parents, "data": "0" * 64})
    assert reproduced(project, key)
    assert "although the data here (digits, " in capsys.readouterr().out
    path.write_bytes(whole)


def test_weights_that_are_not_those_of_their_record_are_refused(
    made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, path = made
    monkeypatch.chdir(project)
    weights = project / "store" / "ann" / Record.read(path).parents["ann"] / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(SettingError, match="are not those of their record: --train"):
        reproduced(project, path.parent.name[:12])
    weights.write_bytes(whole)


def test_a_key_that_no_or_more_than_one_record_has_is_refused_by_name(tmp_path: Path) -> None:
    for key in ("abcdef01", "abcdef02"):
        record = Record("simulation", key.ljust(64, "0"), {}, {}, {}, {}, {}, {})
        folder = tmp_path / "store" / "simulation" / record.key
        folder.mkdir(parents=True)
        record.write(folder / "record.json")
    assert found_by(tmp_path, "abcdef02").record.key.startswith("abcdef02")
    with pytest.raises(SettingError, match="several results have the key abcdef0: abcdef01"):
        found_by(tmp_path, "abcdef0")
    with pytest.raises(SettingError, match="no result here has the key 123456"):
        found_by(tmp_path, "123456")
    with pytest.raises(SettingError, match="at least 6 of the digits 0-9a-f, got 'abc'"):
        found_by(tmp_path, "abc")


def test_the_command_exits_with_2_for_a_key_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ann2snn reproduce", "0123456789"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("error: no result here has the key 0123456789")


def test_the_first_difference_is_the_first_in_order_and_names_its_place() -> None:
    recorded = {"curves": {"a": [1, 2, 3]}, "metrics": {"x": 1.0, "y": None}}
    new = {"curves": {"a": [1, 2, 4]}, "metrics": {"x": 1.0, "z": 2}}
    assert list(different(recorded, new)) == [
        "curves.a[2]: 3 recorded, 4 now",
        "metrics.y: only recorded",
        "metrics.z: only new",
    ]
    assert list(different(recorded, recorded)) == []
