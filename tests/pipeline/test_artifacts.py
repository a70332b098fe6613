"""A clone without raw data: what git keeps is found by key, and nothing is computed or loaded."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from ann2snn.config.schema import Settings
from ann2snn.pipeline.artifacts import (
    publish_result,
    publish_study,
    recorded_settings,
)
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.studies import study_chains
from ann2snn.pipeline.study_file import read_study
from ann2snn.records import Record, record_files
from tests.pipeline.project import ROOT, make_project


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = make_project(tmp_path / "project")
    shutil.copytree(ROOT / "artifacts", project / "artifacts")
    monkeypatch.chdir(project)
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "raw"))
    return project


def default(clone: Path) -> Chain:
    """A chain with the defaults of a conversion, on digits."""
    path = clone / "artifacts" / "simulation" / "digits-batch-norm" / "normalized.json"
    return Chain(recorded_settings(Record.read(path), clone), clone)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


@pytest.mark.parametrize("step", ["conversion", "simulation"])
@pytest.mark.parametrize("name", ["mnist-ablation", "cifar10-best", "cifar10-batch-norm"])
def test_a_study_is_published_from_git_as_it_was(step: str, name: str, clone: Path) -> None:
    before = files(clone / "artifacts")
    study = read_study(clone, name)
    publish_study(step, study, study_chains(study, clone, Settings()), clone)
    assert files(clone / "artifacts") == before
    assert not list((clone / "store").glob("[!l]*"))


@pytest.mark.parametrize("network", ["mnist", "cifar10"])
def test_data_and_networks_are_published_from_git_as_they_were(network: str, clone: Path) -> None:
    before = files(clone / "artifacts")
    record = Record.read(clone / "artifacts" / "ann" / network / "record.json")
    for step in ("data", "ann"):
        publish_result(step, network, Chain(recorded_settings(record, clone), clone), clone)
    assert files(clone / "artifacts") == before
    assert not (clone / "store" / "data").exists()


def test_files_are_made_only_where_somebody_needs_them(clone: Path) -> None:
    chain = default(clone)
    for step in ("ann", "conversion", "simulation"):
        assert chain.done(step)
        assert chain.record(step).key == chain.key(step)
    assert [chain.at_hand(step) for step in ("ann", "conversion", "simulation")] == [
        True, False, True,
    ]  # fmt: skip
    assert not (clone / "store").exists()
    assert (chain.obtain("conversion") / "spec.safetensors").is_file()
    assert chain.at_hand("conversion")
    kept = Record.read(chain.kept("conversion") or Path())
    found = chain.record("conversion")
    # the record in git may be older than a toggle that is neutral in both, and of another processor
    assert recorded_settings(found) == recorded_settings(kept)
    outliers = kept.details["outliers"]
    for name, facts in found.details["outliers"].items():
        assert facts == pytest.approx(outliers[name], rel=1e-6)
    details = {**found.details, "outliers": outliers}
    assert dataclasses.replace(found, settings=kept.settings, details=details) == kept


def test_a_network_whose_weights_are_not_kept_has_its_record_alone(clone: Path) -> None:
    chain = default(clone)
    folder = clone / "artifacts" / "ann" / "digits"
    for path in folder.glob("*.safetensors"):
        path.unlink()
    assert chain.done("ann")
    assert not chain.at_hand("ann")
    (folder / "weights.safetensors").write_bytes(b"others")
    assert not chain.done("ann")


def test_a_damaged_record_hides_no_other(clone: Path) -> None:
    (clone / "artifacts" / "conversion" / "cifar10-best" / "full.json").write_bytes(b"\xff{")
    chain = default(clone)
    assert chain.record("conversion").description["dataset"] == "digits"


def test_every_committed_record_is_found(clone: Path) -> None:
    for step in ("ann", "conversion", "simulation"):
        for path in record_files(clone, step):
            record = Record.read(path)
            found = Chain(recorded_settings(record, clone), clone).record(step)
            # one of the same key may be older than a toggle that is neutral in both
            assert recorded_settings(found) == recorded_settings(record)
            assert dataclasses.replace(found, settings=record.settings) == record
    assert not (clone / "store").exists()
