"""Studies of params.yaml: their shape is checked, a call's free toggles reach every point, and
what they publish is whole whoever else publishes."""

import dataclasses
import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import yaml

from ann2snn.config.composition import composed
from ann2snn.config.schema import Settings
from ann2snn.noted_files import file_sha256
from ann2snn.pipeline.artifacts import keep_point, publish_result, publish_study
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.provenance import note_machine, provenance
from ann2snn.pipeline.studies import study_chains
from ann2snn.pipeline.study_file import default_studies, read_params, read_study
from ann2snn.records import Record, noted_machines, write_json
from ann2snn.settings import SettingError
from tests.pipeline.project import ROOT, make_project

STUDY: dict[str, Any] = {
    "title": "T", "kind": "ablation", "network": "digits",
    "points": {"a": None, "b": ["conversion.reset=zero"]},
}  # fmt: skip


def project_with(folder: Path, entry: Any, section: str = "studies") -> Path:
    networks = {"digits": {"data": "digits", "ann": "digits_cnn", "from": "data/digits"}}
    params = {"data": ["digits"], "networks": networks, section: {"s": entry}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    return folder


def test_all_studies_of_the_project_have_the_right_shape() -> None:
    for name in (*default_studies(ROOT), *read_params(ROOT)["on_request"]):
        assert read_study(ROOT, name).points


def test_a_toggle_that_cannot_be_names_its_study_and_point(tmp_path: Path) -> None:
    misspelt = {**STUDY, "points": {"a": None, "b": ["conversion.rest=zero"]}}
    study = read_study(project_with(tmp_path, misspelt), "s")
    with pytest.raises(SettingError, match=r"^point s/b: there is no toggle 'conversion.rest'"):
        study_chains(study, tmp_path, Settings())
    compared = {**STUDY, "points": {"a": ["simulation.compare=true"]}}
    study = read_study(project_with(tmp_path, compared), "s")
    with pytest.raises(SettingError, match=r"^point s/a: simulation\.engine must be"):
        study_chains(study, tmp_path, composed(["simulation.engine=event"]))


def test_shared_overrides_stand_between_the_networks_and_a_points_own(tmp_path: Path) -> None:
    entry = {**STUDY, "shared": ["simulation.steps=7"], "labels": {"b": "zero"}}
    study = read_study(project_with(tmp_path, entry), "s")
    before = ["data=digits", "ann=digits_cnn", "simulation.steps=7"]
    assert study.points == {"a": before, "b": [*before, "conversion.reset=zero"]}
    assert study.labels == {"b": "zero"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": {"c": "x"}}, r"^studies\.s\.labels\.c: the points are a, b$"),
        ({"title": None}, r"^studies\.s\.title must be text, got None$"),
        ({"title": 2016}, r"^studies\.s\.title must be text, got 2016$"),
        ({"kind": ["best"]}, r"^studies\.s\.kind must be text, got \['best'\]$"),
        ({"network": "minst"}, r"^studies\.s\.network must be one of digits, got 'minst'$"),
        ({"network": ["digits"]}, r"^studies\.s\.network must be one of digits, got \['digits'\]$"),
        ({"points": None}, r"^studies\.s\.points must name at least one point, got none$"),
        ({"points": ["a", "b"]}, r"^studies\.s\.points must be a mapping by names, got \['a', 'b'"),
        ({"points": {95: []}}, r"^studies\.s\.points must be a mapping by names: put 95 in quotes"),
        ({"points": {"a/b": []}}, r"^studies\.s\.points: a point's name .*, got 'a/b'$"),
        ({"points": {"study": []}}, r"^studies\.s\.points: .* none of study, stat.*, got 'study'$"),
        (
            {"points": {"a": "conversion.reset=zero"}},
            r"^studies\.s\.points\.a must be a list of overrides such as \[.*\],"
            r" got 'conversion.reset=zero'$",
        ),
        ({"points": {"a": [{"conversion.reset": "zero"}]}}, r"^studies\.s\.points\.a must be a li"),
        ({"shared": "simulation.steps=7"}, r"^studies\.s\.shared must be a list .* got 'simulat"),
        ({"labels": ["A"]}, r"^studies\.s\.labels must be a mapping by names, got \['A'\]$"),
        ({"labels": {"a": 99.9}}, r"^studies\.s\.labels\.a must be text, got 99.9$"),
        ({"lables": {}}, r"^studies\.s\.lables: the fields of a study are title, kind, network, s"),
    ],
)
def test_a_malformed_entry_is_told_by_field_value_and_what_is_allowed(
    changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    project = project_with(tmp_path, {**STUDY, **changed})
    with pytest.raises(SettingError, match=message):
        read_study(project, "s")
    with pytest.raises(SettingError, match=message):
        default_studies(project)


@pytest.mark.parametrize("field", ["title", "kind", "network", "points"])
def test_a_missing_field_is_named(field: str, tmp_path: Path) -> None:
    entry = {name: value for name, value in STUDY.items() if name != field}
    with pytest.raises(SettingError, match=rf"^on_request\.s\.{field} must "):
        read_study(project_with(tmp_path, entry, "on_request"), "s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("studies: [", "params.yaml is not YAML: .*line 1"),
        ("- a", "params.yaml must be a mapping"),
        ("studies: [s]", r"studies must be a mapping by names, got \['s'\]"),
        ("studies: {s: text}", r"studies\.s must be a mapping by names, got 'text'"),
        ("networks: {n: cnn}\nstudies: {s: {}}", "networks.n must be a mapping by names"),
        ("networks: {n: {data: 1}}\nstudies: {s: {}}", r"networks\.n\.data must be text, got 1"),
        (
            "networks: {n: {data: a, ann: b}}\nstudies: {s: {}}",
            "networks.n must have the fields data, ann, from, got data, ann$",
        ),
        (
            "networks: {n: {data: a, ann: b, from: c, form: d}}\nstudies: {s: {}}",
            "networks.n must have the fields data, ann, from, got data, ann, from, form$",
        ),
    ],
)
def test_a_malformed_file_is_told_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingError, match=message) as told:
        read_study(tmp_path, "s")
    assert "\n" not in str(told.value)


def test_every_toggle_that_shapes_no_result_reaches_the_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project)
    entry = {**STUDY, "shared": ["simulation.block=10", "simulation.engine=event"]}
    study = read_study(project_with(project, entry), "s")
    call = composed(
        ["run.study=s", "run.track=false", "ann.progress=true", "simulation.threads=1",
         "simulation.block=20"]
    )  # fmt: skip
    for point, chain in study_chains(study, project, call).items():
        own = composed(study.points[point])
        assert chain.settings.run.track is False
        assert chain.settings.ann == dataclasses.replace(own.ann, progress=True)
        assert chain.settings.simulation == dataclasses.replace(own.simulation, threads=1, block=20)
        assert chain.settings.simulation.engine == "event"
        assert chain.settings.conversion == own.conversion


def note_often(project: Path, own: str) -> None:
    for number in range(20):
        note_machine(project, f"simulation/{own}{number}", [project / "result"])


def test_processes_that_note_their_machines_at_once_lose_none(tmp_path: Path) -> None:
    write_json(tmp_path / "result" / "provenance.json", provenance(1))
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=note_often, args=(tmp_path, own)) for own in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert len(noted_machines(tmp_path)) == 40


def stored(project: Path, folder: Path) -> None:
    """A result of step ann where the chain of the default settings looks for it."""
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w" * 2**20)
    key = folder.name
    details = {"files": {"weights": file_sha256(folder / "weights")}}
    Record("ann", key, {}, {}, {"dataset": "digits"}, {}, {}, details).write(folder / "record.json")


def publish_often(project: Path) -> None:
    chain = chain_in(project)
    for _ in range(50):
        publish_result("ann", "digits", chain, project)


def chain_in(project: Path) -> Chain:
    """The default one, which knows digits by their record."""
    committed = project / "artifacts" / "data" / "digits" / "record.json"
    if not committed.is_file():
        record = Record.read(ROOT / "artifacts" / "data" / "digits" / "record.json")
        record.write(committed)
    return Chain(Settings(), project)


def test_two_processes_that_publish_one_result_at_once_leave_it_whole(tmp_path: Path) -> None:
    chain = chain_in(tmp_path)
    stored(tmp_path, tmp_path / "store" / "ann" / chain.key("ann"))
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=publish_often, args=(tmp_path,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    folder = tmp_path / "artifacts" / "ann" / "digits"
    assert sorted(path.name for path in folder.iterdir()) == ["record.json", "weights"]
    assert (folder / "weights").read_bytes() == b"w" * 2**20


def test_a_published_study_holds_its_points_and_nothing_else(tmp_path: Path) -> None:
    chain = chain_in(tmp_path)
    folder = tmp_path / "store" / "ann" / chain.key("ann")
    stored(tmp_path, folder)
    study = read_study(project_with(tmp_path, {**STUDY, "points": {"a": []}}), "s")
    record = Record.read(folder / "record.json")
    for point in ("a", "gone"):
        keep_point("s", point, record, tmp_path)
    (tmp_path / "artifacts" / "ann" / "s" / ".left.json.1.tmp").touch()
    publish_study("ann", study, {"a": chain}, tmp_path)
    published = tmp_path / "artifacts" / "ann" / "s"
    assert sorted(path.name for path in published.iterdir()) == ["a.json", "study.json"]
    content = json.loads((published / "study.json").read_text(encoding="utf-8"))
    assert content["order"] == [["a", record.key]]
