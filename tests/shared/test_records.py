import multiprocessing
import time
from pathlib import Path

import pytest

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
