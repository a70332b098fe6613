"""Machine code is kept per version of the sources, where the user wants it."""

import shutil
from pathlib import Path

import numba
import pytest

from ann2snn.conversion import activation_counts
from ann2snn.numerics import compiled
from ann2snn.simulation.event import driver

SOURCES = [Path(driver.__file__).parent, Path(activation_counts.__file__).parent]


@pytest.mark.parametrize("sources", SOURCES, ids=["kernels", "conversion"])
def test_an_edit_of_any_source_leads_to_a_fresh_folder(sources: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sources, copy)
    before = compiled.fingerprint(copy)
    assert before == compiled.fingerprint(sources)
    with sorted(copy.glob("*.py"))[-1].open("a") as file:
        file.write("\n# another word\n")
    assert compiled.fingerprint(copy) != before


def test_functions_of_two_folders_do_not_share_machine_code() -> None:
    first, second = (compiled.folder(sources) for sources in SOURCES)
    assert first.parent == second.parent
    assert first != second


def test_the_folder_is_where_the_variable_says_or_a_clear_message_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANN2SNN_CACHE_DIR", str(tmp_path))
    assert compiled.folder(SOURCES[0]).parent == tmp_path / "ann2snn"
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ANN2SNN_CACHE_DIR", str(blocked))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(blocked))
    with pytest.raises(OSError, match="set ANN2SNN_CACHE_DIR to one"):
        compiled.folder(SOURCES[0])


def test_kernels_leave_numbas_own_cache_setting_alone() -> None:
    known = numba.config.CACHE_DIR
    compiled.compiled(lambda: None)
    assert known == numba.config.CACHE_DIR
