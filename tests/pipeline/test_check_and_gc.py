"""What `check` finds, what `gc` removes, and which damaged files of artifacts are left out."""

import shutil
import sys
from pathlib import Path

import pytest

from ann2snn.commands import check, gc
from ann2snn.config.composition import composed
from ann2snn.pipeline.artifacts import keep_point, kept_record
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.noted_artifacts import NOTE
from ann2snn.records import Record, Store
from tests.pipeline.project import ROOT, make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the data of digits, and a simulation that a study kept."""
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["command"])
    Chain(composed([])).record("data")
    keep_point("study", "point", simulation("a" * 64), folder)
    return folder


def simulation(key: str) -> Record:
    return Record("simulation", key, {}, {}, {}, {"snn_accuracy": 91.5}, {}, {})


def ended(main: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = 0
    try:
        main()  # type: ignore[operator]
    except SystemExit as end:
        code = int(str(end.code or 0))
    said = capsys.readouterr()
    return code, (said.out + said.err).splitlines()


def kept(project: Path) -> Path:
    return project / "artifacts" / "simulation" / "study" / "point.json"


def test_all_is_as_it_was_made(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(check.main, capsys) == (0, ["all is as it was made"])


def test_the_committed_artifacts_are_as_they_were_published(tmp_path: Path) -> None:
    assert list(check.wrong_in_artifacts(ROOT)) == []
    shutil.copytree(ROOT / "artifacts", tmp_path / "artifacts")
    for gone in ("ann/mnist-few-steps-seeds/chosen-8-1.json", "simulation/mnist-best/full.json"):
        (tmp_path / "artifacts" / gone).unlink()
        assert any(gone in line for line in check.wrong_in_artifacts(tmp_path)), gone


def test_a_damaged_digit_in_artifacts_is_found_and_the_record_is_left_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kept_record(project, "simulation", "a" * 64) == kept(project)
    text = kept(project).read_text(encoding="utf-8")
    kept(project).write_text(text.replace("91.5", "97.5"), encoding="utf-8")
    assert kept_record(project, "simulation", "a" * 64) is None
    (said,) = capsys.readouterr().err.splitlines()
    assert "point.json is left out: it is not as it was published" in said
    code, lines = ended(check.main, capsys)
    assert code == 1
    assert lines[0].startswith("artifacts/simulation/study/point.json: it is not as it was")


def test_a_record_that_is_none_stops_no_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_point("study", "other", simulation("b" * 64), project)
    kept(project).write_bytes(b'{"key": "' + b"b" * 64 + b'" \xff')
    found = kept_record(project, "simulation", "b" * 64)
    assert found is not None
    assert found.name == "other.json"
    assert "point.json is not a record" in " ".join(ended(check.main, capsys)[1])


def test_files_of_before_are_noted_on_request(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (project / NOTE).read_bytes()
    (project / NOTE).unlink()
    monkeypatch.setattr(sys, "argv", ["check", "--note"])
    assert ended(check.main, capsys) == (0, ["1 files are noted in artifacts/files.json"])
    assert (project / NOTE).read_bytes() == before


def test_a_damaged_result_in_the_store_is_found(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = project.glob("store/data/*/test_labels.npy")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    code, lines = ended(check.main, capsys)
    assert code == 1
    assert "test_labels.npy has other bytes than were written; it will be made again" in lines[0]


def test_only_what_nobody_needs_is_shown_and_then_removed(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(project / "store")
    for key in ("a" * 64, "c" * 64):
        store.obtain(
            "simulation", key, lambda folder, _, own=key: simulation(own).write(  # type: ignore[misc]
                folder / "record.json"
            ),
        )  # fmt: skip
    shutil.copytree(store.folder("simulation", "c" * 64), project / "store/ann/d.damaged")
    before = sorted(project.glob("store/*/*"))
    code, lines = ended(gc.main, capsys)
    assert (code, sorted(project.glob("store/*/*"))) == (0, before)
    assert [line.partition(":")[0] for line in lines if line.startswith("store/")] == [
        "store/ann/d.damaged", f"store/simulation/{'c' * 64}",
    ]  # fmt: skip
    assert lines[-1].startswith("not known before their data are loaded: what studies on ")
    monkeypatch.setattr(sys, "argv", ["gc", "--remove"])
    assert any("are removed" in line for line in ended(gc.main, capsys)[1])
    left = {path.parent.name for path in project.glob("store/*/*") if path.is_dir()}
    assert left == {"data", "simulation"}
    assert store.has("simulation", "a" * 64)
