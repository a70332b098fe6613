"""Results are computed on the data that their keys speak of, or not at all."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from ann2snn.config.schema import Settings
from ann2snn.data import cifar10_jpegs
from ann2snn.data.download import md5_of
from ann2snn.data.sets import cifar10
from ann2snn.data.settings import DataSettings
from ann2snn.pipeline.artifacts import publish_result
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.preflight import require_ready
from ann2snn.records import Record
from ann2snn.settings import SettingError, shaping_values
from ann2snn.simulation.settings import SimulationSettings
from tests.data.small_archives import pets, served, small, small_batches, tar_of, write
from tests.pipeline.project import ROOT

PETS = DataSettings(name="folder", path="pets", validation=2, calibration=3)


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """DATA_ROOT, empty."""
    folder = tmp_path / "raw"
    folder.mkdir()
    monkeypatch.setenv("DATA_ROOT", str(folder))
    return folder


def commit(chain: Chain, record: Record) -> None:
    """Puts the record of a data set where git keeps it."""
    record = dataclasses.replace(record, settings={"data": shaping_values(chain.settings.data)})
    record.write(chain.project / "artifacts" / "data" / "committed" / "record.json")


def chain_of(data: DataSettings, project: Path) -> Chain:
    """A new one, as a new process has: it has looked at no file yet."""
    return Chain(Settings(data=data), project)


def whole_data_sets(chain: Chain) -> list[Path]:
    return [path for path in chain.store.records() if path.parent.parent.name == "data"]


def test_a_download_that_is_not_the_committed_data_set_is_not_computed_with(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small("cifar10")
    chain = chain_of(data, tmp_path)
    commit(chain, Record.read(ROOT / "artifacts" / "data" / "cifar10" / "record.json"))
    batches = small_batches(monkeypatch)
    archive = tar_of({f"{cifar10.FOLDER}/{name}": text for name, text in batches.items()})
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5_of(archive))
    with served({cifar10.PACKED: archive}) as address:
        monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}{cifar10.PACKED}")
        with pytest.raises(ValueError, match="committed results") as told:
            chain.obtain("statistics")
    assert "CIFAR-10 (JPEG copy) (cifar10-jpg.tar.gz: the images" in str(told.value)
    assert "CIFAR-10 (batches of torchvision.datasets.CIFAR10) was loaded" in str(told.value)
    assert "python -m ann2snn.pipeline.data data=cifar10" in str(told.value)
    assert "\n" not in str(told.value)
    assert chain.store.records() == []
    # the original is there now: data of another kind, other keys
    after = chain_of(data, tmp_path)
    assert after.manifest["name"] == "CIFAR-10"
    assert after.key("ann") != chain.key("ann")
    # and nothing of it stands where the copy will be looked for
    for path in raw.iterdir():
        path.unlink()
    (raw / cifar10_jpegs.JPEGS).touch()
    assert not chain_of(data, tmp_path).done("data")


def test_a_download_that_is_the_committed_data_set_is_computed_with(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = small("cifar10")
    batches = small_batches(monkeypatch)
    archive = tar_of({f"{cifar10.FOLDER}/{name}": text for name, text in batches.items()})
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5_of(archive))
    (tmp_path / "elsewhere").mkdir()
    with served({cifar10.PACKED: archive}) as address:
        monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}{cifar10.PACKED}")
        chain = chain_of(data, tmp_path / "elsewhere")
        record = chain.record("data")
        (raw / cifar10.PACKED).unlink()
        clone = chain_of(data, tmp_path / "clone")
        commit(clone, record)
        assert clone.key("ann") == chain.key("ann")
        assert not (raw / cifar10.PACKED).exists()
        folder = clone.obtain("data")
    assert np.load(folder / "test_labels.npy").shape == (10,)


def test_pixels_that_are_decoded_otherwise_are_not_computed_with(tmp_path: Path, raw: Path) -> None:
    """Equal names, sizes and times, as when another version of Pillow reads the same files."""
    write(pets(), raw / "pets")
    first = chain_of(PETS, tmp_path)
    commit(first, first.record("data"))
    images = [raw / "pets" / "train" / "ant" / f"{index}.png" for index in (1, 2)]
    contents = [path.read_bytes() for path in images]
    assert len(contents[0]) == len(contents[1])
    for path, content in zip(images, contents[::-1], strict=True):
        state = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    # a clone: the record is there, the store is not
    clone = chain_of(PETS, tmp_path / "clone")
    commit(clone, first.record("data"))
    assert clone.key("data") == first.key("data")
    with pytest.raises(ValueError, match=r"the two differ in sha256\."):
        clone.obtain("statistics")
    assert clone.store.records() == []
    # the cure that is told: load them by themselves, and other keys go on with them
    loaded = chain_of(PETS, clone.project)
    assert loaded.record("data").key != first.key("data")
    after = chain_of(PETS, clone.project)
    assert after.key("ann") != first.key("ann")
    assert after.obtain("data") == loaded.obtain("data")


def test_data_that_another_process_loads_meanwhile_are_looked_at_too(
    tmp_path: Path, raw: Path
) -> None:
    digits = DataSettings()
    committed = Record.read(ROOT / "artifacts" / "data" / "digits" / "record.json")
    manifest = {**committed.details["manifest"], "splits_seed": 1}
    other = dataclasses.replace(committed, details={**committed.details, "manifest": manifest})
    chain = chain_of(digits, tmp_path)
    commit(chain, other)
    promised = chain.key("data")
    chain_of(digits, tmp_path).record("data")
    with pytest.raises(ValueError, match=r"the two differ in splits_seed\."):
        chain.obtain("data")
    assert chain.key("data") == promised


def test_the_data_step_publishes_what_it_loaded_and_not_what_was_committed(
    tmp_path: Path, raw: Path
) -> None:
    committed = Record.read(ROOT / "artifacts" / "data" / "digits" / "record.json")
    manifest = {**committed.details["manifest"], "splits_seed": 1}
    chain = chain_of(DataSettings(), tmp_path)
    other = {**committed.details, "manifest": manifest}
    commit(chain, dataclasses.replace(committed, details=other))
    require_ready("data", chain)
    record = chain.record("data")
    publish_result("data", "digits", chain, tmp_path)
    published = Record.read(tmp_path / "artifacts" / "data" / "digits" / "record.json")
    assert published == record
    assert published.details["manifest"] == committed.details["manifest"]


def test_more_images_than_there_are_is_told_before_anything_is_computed(
    tmp_path: Path, raw: Path
) -> None:
    def chain(part: str, images: int) -> Chain:
        settings = Settings(simulation=SimulationSettings(part=part, images=images))
        made = Chain(settings, tmp_path)
        commit(made, Record.read(ROOT / "artifacts" / "data" / "digits" / "record.json"))
        return made

    with pytest.raises(
        SettingError,
        match=r"^simulation.images must be at most 360, the test images of digits, or 0 for all,"
        r" got 361$",
    ):
        chain("test", 361).obtain("simulation")
    with pytest.raises(SettingError, match="at most 200, the validation images of digits"):
        chain("validation", 201).key("simulation")
    assert chain("test", 360).key("simulation") != chain("test", 0).key("simulation")
    assert chain("test", 361).store.records() == []
