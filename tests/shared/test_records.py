import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ann2snn import noted_files
from ann2snn.noted_files import SMALL
from ann2snn.records import Record, Store, run_key, write_json


def record(key: str = "k") -> Record:
    return Record("data", key, {}, {}, {}, {"accuracy": 1.5, "none": None}, {"c": [0.1]}, {})


def test_equal_content_has_one_key_whatever_its_order() -> None:
    one = run_key("ann", {"a": 1, "b": 2.0}, {"data": "x"}, "code")
    assert one == run_key("ann", {"b": 2.0, "a": 1}, {"data": "x"}, "code")
    others = [
        run_key("snn", {"a": 1, "b": 2.0}, {"data": "x"}, "code"),
        run_key("ann", {"a": 1, "b": 2.5}, {"data": "x"}, "code"),
        run_key("ann", {"a": 1, "b": 2.0}, {"data": "y"}, "code"),
        run_key("ann", {"a": 1, "b": 2.0}, {"data": "x"}, "edoc"),
    ]
    assert len({one, *others}) == 5


def test_a_record_reads_back_as_written(tmp_path: Path) -> None:
    record().write(tmp_path / "record.json")
    assert Record.read(tmp_path / "record.json") == record()


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"step": "ann"')
    with pytest.raises(ValueError, match=r"record\.json is not a record"):
        Record.read(tmp_path / "record.json")


def test_json_that_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert (tmp_path / "a.json").read_text() == '{\n "x": 1\n}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_result_is_produced_once_and_then_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    calls = []

    def produce(folder: Path, partial: Path) -> None:
        calls.append(partial.is_dir())
        record().write(folder / "record.json")

    first = store.obtain("data", "k", produce)
    assert store.obtain("data", "k", produce) == first
    assert calls == [True]
    assert not first.with_name("k.partial").exists()
    assert store.records() == [first / "record.json"]


def test_a_fault_leaves_no_result_but_keeps_what_it_can_go_on_from(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def fail(folder: Path, partial: Path) -> None:
        (partial / "half").touch()
        (folder / "other").touch()
        raise RuntimeError("fault")

    with pytest.raises(RuntimeError, match="fault"):
        store.obtain("data", "k", fail)
    assert not store.has("data", "k")
    assert store.records() == []

    def go_on(folder: Path, partial: Path) -> None:
        assert (partial / "half").exists()
        assert not (folder / "other").exists()
        record().write(folder / "record.json")

    assert store.has("data", store.obtain("data", "k", go_on).name)


def _slow(root: Path) -> None:
    def produce(folder: Path, partial: Path) -> None:
        with (root / "calls").open("a") as file:
            file.write("call\n")
        time.sleep(0.3)
        record().write(folder / "record.json")

    Store(root / "store").obtain("data", "k", produce)


def test_two_processes_compute_a_result_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_slow, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (tmp_path / "calls").read_text() == "call\n"


def made(store: Store, key: str, content: bytes = b"weights" * 9) -> Path:
    def produce(folder: Path, partial: Path) -> None:
        (folder / "weights").write_bytes(content)
        Record("ann", key, {}, {}, {}, {}, {}, {}).write(folder / "record.json")

    return store.obtain("ann", key, produce)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["weights", "record.json", "files.json"])
@pytest.mark.parametrize("damage", [flip, Path.unlink, Path.touch])
def test_a_damaged_result_is_named_set_aside_and_made_again(
    name: str, damage: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path)
    folder = made(store, "k")
    whole = (folder / "weights").read_bytes()
    damage(folder / name)
    harmless = damage is Path.touch or (damage is Path.unlink and name == "files.json")
    assert store.has("ann", "k") == harmless
    assert (made(store, "k") / "weights").read_bytes() == whole
    assert store.has("ann", "k")
    said = capsys.readouterr().err
    if harmless:
        assert said == ""
    else:  # a note that reads well may have another hash of any file
        assert "set aside as k.damaged" in said
    assert harmless or name == "files.json" or name in said


def test_a_result_of_another_key_is_not_taken(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, other = made(store, "one"), made(store, "other", b"other")
    shutil.copytree(one, other, dirs_exist_ok=True)
    assert store.wrong("ann", "other") == ("its files are noted as those of ann one",)
    (other / "files.json").unlink()
    assert store.wrong("ann", "other") == ("record.json is that of ann one",)
    assert Record.read(made(store, "other") / "record.json").key == "other"


def test_a_copied_store_is_whole_whatever_its_times(tmp_path: Path) -> None:
    made(Store(tmp_path / "one"), "k", bytes(SMALL + 1))
    shutil.copytree(tmp_path / "one", tmp_path / "two", copy_function=shutil.copyfile)
    copy = Store(tmp_path / "two")
    assert copy.has("ann", "k")
    flip(copy.folder("ann", "k") / "weights")
    assert copy.wrong("ann", "k") == ("weights has other bytes than were written",)


def test_a_note_is_renewed_for_files_that_were_hashed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file that changed under its old time stays wrong, whatever becomes of the others."""
    monkeypatch.setattr(noted_files, "SMALL", 8)
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(bytes(9))
    small.write_bytes(b"s")
    noted_files.note_files(tmp_path, "me")
    time = large.stat().st_mtime_ns
    large.write_bytes(b"x" + bytes(8))
    os.utime(large, ns=(time, time))
    os.utime(small)
    assert noted_files.wrong_files(tmp_path, "me") == ()
    noted_files._wrong_files.cache_clear()
    wrong = noted_files.wrong_files(tmp_path, "me", wholly=True)
    assert wrong == ("large has other bytes than were written",)


@pytest.mark.parametrize(
    "text", ["[]", "null", "3", '{"step": 1}', "\xff", "[" * 100_000, '{"a": NaN}'], ids=repr
)
def test_json_of_any_other_kind_is_no_record_and_its_file_is_named(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "record.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"record\.json is not a record"):
        Record.read(tmp_path / "record.json")


def test_locks_and_empty_leftovers_go(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made(store, "k")

    def fail(folder: Path, partial: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.obtain("ann", "other", fail)
    assert list((tmp_path / "locks").iterdir()) == []
    assert [path.name for path in (tmp_path / "ann").iterdir()] == ["k"]


def _add_one(root: Path) -> None:
    """Reads and writes a number many times, each time under the lock, which goes each time."""
    for _ in range(50):
        with Store(root).lock("ann", "k"):
            number = int((root / "number").read_text())
            (root / "number").write_text(str(number + 1))


def test_a_lock_whose_file_goes_still_holds_out_all_others(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("0")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_one, args=(tmp_path,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (tmp_path / "number").read_text() == "150"
