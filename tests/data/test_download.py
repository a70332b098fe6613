"""What a download does when the network or the disk fails it."""

import socket
import threading
from pathlib import Path

import pytest

from ann2snn.data import download
from ann2snn.data.download import fetch, md5_of
from tests.data.small_archives import served


def test_a_file_arrives_whole_under_its_name(tmp_path: Path) -> None:
    with served({"file.gz": b"content"}) as address:
        fetch([f"{address}file.gz"], md5_of(b"content"), tmp_path / "new" / "file.gz", "it")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.gz"]
    assert (tmp_path / "new" / "file.gz").read_bytes() == b"content"


def test_a_wrong_file_does_not_keep_the_right_one_from_the_next_address(tmp_path: Path) -> None:
    with served({"1/file.gz": b"different", "2/file.gz": b"content"}) as address:
        addresses = [f"{address}1/file.gz", f"{address}2/file.gz"]
        fetch(addresses, md5_of(b"content"), tmp_path / "file.gz", "it")
    assert (tmp_path / "file.gz").read_bytes() == b"content"


def test_a_server_that_falls_silent_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "STALLED", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/file.gz"
        with pytest.raises(OSError, match=r"file.gz is not under DATA_ROOT and .*timed out"):
            fetch([address], md5_of(b"content"), tmp_path / "file.gz", "it")
    assert list(tmp_path.iterdir()) == []
    assert socket.getdefaulttimeout() is None


def test_a_server_that_speaks_no_http_is_named(tmp_path: Path) -> None:
    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"220 this is a mail server\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/file.gz"
        with pytest.raises(
            OSError, match=r"could not be downloaded: .*file.gz: 220 this is a mail"
        ):
            fetch([address], md5_of(b"content"), tmp_path / "file.gz", "it")
        thread.join()
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_gone_is_named(tmp_path: Path) -> None:
    with served({"file.gz": b"content"}) as address:
        closed = address
    with pytest.raises(OSError, match=r"file.gz: .*refused.*; try again, or put it there"):
        fetch([f"{closed}file.gz"], md5_of(b"content"), tmp_path / "file.gz", "it")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"could not be downloaded: .*(exists|Not a directory)"):
        fetch([], md5_of(b"content"), tmp_path / "file" / "file.gz", "it")


def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        (Path(str(_[1])) / "file.gz").write_bytes(b"cont")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", full)
    with pytest.raises(OSError, match=r"could not be downloaded: .*No space left on device"):
        fetch(["http://127.0.0.1/file.gz"], md5_of(b"content"), tmp_path / "file.gz", "it")
    assert list(tmp_path.iterdir()) == []
