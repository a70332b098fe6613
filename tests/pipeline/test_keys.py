"""Keys survive growth: they stay while toggles, words and tables are added, and never pass off
another result."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from ann2snn.commands.accept import stand_ins
from ann2snn.config.schema import GROUPS, Settings
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.pipeline import code_identity
from ann2snn.pipeline.artifacts import recorded_settings
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.pipeline.code_identity import source_hash
from ann2snn.records import Record, record_files
from ann2snn.settings import number
from tests.pipeline.project import ROOT

DEFAULT = ROOT / "artifacts" / "simulation" / "digits-batch-norm" / "normalized.json"
STEPS = ("data", "ann", "conversion", "simulation")


@pytest.fixture(autouse=True)
def _without_raw_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "raw"))


def committed(step: str) -> list[Record]:
    return [Record.read(path) for path in record_files(ROOT, step)]


@pytest.mark.parametrize("step", STEPS)
def test_every_committed_record_reproduces_its_key(step: str) -> None:
    records = committed(step)
    assert len(records) >= 3
    for record in records:
        chain = Chain(recorded_settings(record, ROOT), ROOT)
        assert chain.key(step) == record.key
        assert {parent: chain.key(parent) for parent in PARENTS[step]} == record.parents


def grown(settings: Settings) -> Settings:
    """The settings of a version with one more toggle in each group, at its default."""
    more: dict[str, Any] = {}
    for group, kind in GROUPS.items():
        leak = ("leak", float, number(0.0, "a toggle to come", low=0))
        kind = dataclasses.make_dataclass(kind.__name__, [leak], bases=(kind,), frozen=True)
        more[group] = kind(**dataclasses.asdict(getattr(settings, group)))
    return Settings(**more)


@pytest.mark.parametrize("step", STEPS)
def test_a_new_toggle_at_its_default_changes_no_committed_key(step: str) -> None:
    for record in committed(step):
        chain = Chain(grown(recorded_settings(record, ROOT)), ROOT)
        assert chain.key(step) == record.key
        if step != "data":
            assert chain.done(step)
            found = chain.record(step)
            assert (found.key, found.settings.keys()) == (record.key, record.settings.keys())


def test_a_new_toggle_that_is_set_changes_the_key() -> None:
    settings = grown(default())
    leaking = dataclasses.replace(settings.conversion, leak=0.5)  # type: ignore[call-arg]
    changed = dataclasses.replace(settings, conversion=leaking)
    assert Chain(changed, ROOT).key("conversion") != Chain(settings, ROOT).key("conversion")
    assert Chain(changed, ROOT).key("statistics") == Chain(settings, ROOT).key("statistics")


@dataclasses.dataclass(frozen=True)
class OtherDefault(ConversionSettings):
    percentile: float = number(95.0, "the default was 99.9", low=0, high=100)


@dataclasses.dataclass(frozen=True)
class Neutral(ConversionSettings):
    percentile: float = number(95.0, "the default was 99.9", low=0, high=100, neutral=99.9)


def default(conversion: ConversionSettings | None = None) -> Settings:
    """The settings of a committed point with the defaults of a conversion, or with others."""
    found = recorded_settings(Record.read(DEFAULT))
    assert found.conversion == ConversionSettings()
    return dataclasses.replace(found, conversion=conversion or found.conversion)


def test_a_changed_default_does_not_pass_off_an_old_result() -> None:
    old, new = Chain(default(), ROOT), Chain(default(OtherDefault()), ROOT)
    assert new.key("conversion") == old.key("conversion")
    assert old.record("conversion").settings["conversion"]["percentile"] == 99.9
    for step in ("conversion", "simulation"):
        with pytest.raises(
            ValueError,
            match=r"bears the key of this result, but conversion\.percentile was 99\.9 for it, and"
            r" 95\.0 is asked for: .*`neutral`",
        ):
            new.record(step)


def test_results_of_another_default_in_the_store_are_refused_as_well(tmp_path: Path) -> None:
    old, new = Chain(default(), ROOT), Chain(default(OtherDefault()), tmp_path)
    for path in record_files(ROOT, "data"):
        Record.read(path).write(tmp_path / path.relative_to(ROOT))
    key = old.key("conversion")
    old.record("conversion").write(new.store.folder("conversion", key) / "record.json")
    with pytest.raises(ValueError, match=rf"store/conversion/{key} bears the key of this result"):
        new.record("conversion")


def test_keys_keep_their_meaning_where_the_old_default_is_neutral() -> None:
    as_before = Chain(default(Neutral(percentile=99.9)), ROOT)
    assert as_before.record("conversion").key == Chain(default(), ROOT).key("conversion")
    now, by_value = default(Neutral()), default(ConversionSettings(percentile=95))
    assert Chain(now, ROOT).key("conversion") == Chain(by_value, ROOT).key("conversion")


def test_accepted_code_stands_for_that_of_the_committed_results(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = code_identity.accepted_code()
    assert stand_ins(ROOT)[0].items() <= known.items()
    before = Chain(default(), ROOT).key("simulation")
    simulations = dict(code_identity.ROOMS, simulation=("simulation", "spec", "config"))
    monkeypatch.setattr(code_identity, "ROOMS", simulations)
    code_identity._hash.cache_clear()
    assert Chain(default(), ROOT).key("simulation") != before
    accepted, steps = stand_ins(ROOT)
    assert "simulation" in steps
    assert accepted.keys() - known.keys() == {source_hash("simulation", default())}
    monkeypatch.setattr(code_identity, "accepted_code", lambda: accepted)
    assert Chain(default(), ROOT).key("simulation") == before
    code_identity._hash.cache_clear()
