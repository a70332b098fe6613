"""No archive gets out of itself, and none that is damaged is taken for a whole one."""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ann2snn.data import archives
from ann2snn.data.archives import LARGEST_FILE, members
from tests.data.small_archives import tar_of, write

FILES = {"train/ant/0.png": b"zero", "train/bee/1.png": b"one" * 1000, "note.txt": b""}


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def content_of(path: Path) -> dict[str, bytes]:
    return {m.name: m.content() for m in members(path) if m.content is not None}


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.tar", lambda: tar_of(FILES, "w")),
        ("a.tar.gz", lambda: tar_of(FILES)),
        ("a.tar.xz", lambda: tar_of(FILES, "w:xz")),
        ("a.zip", lambda: zip_of(FILES)),
    ],
)
def test_every_kind_of_archive_gives_what_a_directory_gives(
    tmp_path: Path, name: str, pack: Callable[[], bytes]
) -> None:
    (tmp_path / name).write_bytes(pack())
    write(FILES, tmp_path / "directory")
    assert content_of(tmp_path / name) == content_of(tmp_path / "directory") == FILES


def test_folders_are_members_without_content(tmp_path: Path) -> None:
    write(FILES, tmp_path / "directory")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "directory", ".")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.mkdir("train")
    assert {m.name for m in members(tmp_path / "a.tar") if m.content is None} == {
        "", "train", "train/ant", "train/bee",
    }  # fmt: skip
    assert [(m.name, m.content) for m in members(tmp_path / "a.zip")] == [("train", None)]


def test_a_directory_that_links_to_itself_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "again").symlink_to(tmp_path)
    assert max(len(member.parts) for member in members(tmp_path)) == archives.DEEPEST


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "train/../../evil.png"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_path_that_leaves_the_archive_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes((zip_of if kind == "zip" else tar_of)({name: b"x"}))
    with pytest.raises(ValueError, match=rf"^a.{kind}: '{name}' leaves the archive's own folder$"):
        content_of(path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_of_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("train/ant/0.png")
    member.type = kind
    member.linkname = "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(member)
    with pytest.raises(
        ValueError, match=r"^a.tar: 'train/ant/0.png' is a link or a device; only files and folders"
    ):
        content_of(tmp_path / "a.tar")


def test_a_link_of_a_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("train/ant/0.png")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ValueError, match=r"^a.zip: 'train/ant/0.png' is a link or a device"):
        content_of(tmp_path / "a.zip")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_file_that_stands_twice_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("0.png", b"x")
            archive.writestr("./0.png", b"y")
    else:
        path.write_bytes(tar_of({"0.png": b"x", "./0.png": b"y"}))
    with pytest.raises(ValueError, match=rf"^a.{kind} holds '0.png' twice$"):
        content_of(path)


def test_an_archive_is_refused_before_it_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"train/ant/0.png": bytes(600), "train/ant/1.png": bytes(600)}
    (tmp_path / "a.zip").write_bytes(zip_of(files))
    (tmp_path / "a.tar.gz").write_bytes(tar_of(files))
    (tmp_path / "tail.tar.gz").write_bytes(gzip.compress(tar_of({}, "w") + bytes(1 << 20)))
    monkeypatch.setattr(archives, "LARGEST_TOTAL", 1024)
    read: list[str] = []
    for name in ("a.zip", "a.tar.gz", "tail.tar.gz"):
        with pytest.raises(ValueError, match=rf"^{name} unpacks to more than 9.5\S+ GiB$"):
            read.extend(member.name for member in members(tmp_path / name))
    assert read == ["train/ant/0.png"] * 2


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_cut_off_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    content = {"zip": zip_of(FILES), "tar": tar_of(FILES, "w"), "tar.gz": tar_of(FILES)}[kind]
    path = tmp_path / f"a.{kind}"
    end = len(content) if kind != "tar" else tarfile.BLOCKSIZE * 11
    for kept in [*range(0, end, max(1, end // 40)), end - 1]:
        path.write_bytes(content[:kept])
        with pytest.raises(ValueError, match=rf"^a.{kind} cannot be read as an archive \(\.tar"):
            content_of(path)


def test_damage_within_an_archive_is_refused(tmp_path: Path) -> None:
    tar = bytearray(tar_of(FILES, "w"))
    tar[1024 + 20] ^= 1  # in the second member's header, which tarfile takes for the end
    (tmp_path / "a.tar").write_bytes(tar)
    with pytest.raises(ValueError, match=r"^a.tar cannot .*: it is damaged or cut off; pack it"):
        content_of(tmp_path / "a.tar")
    bundle = zip_of(FILES, zipfile.ZIP_STORED).replace(b"oneone", b"oneONE")
    (tmp_path / "a.zip").write_bytes(bundle)
    with pytest.raises(ValueError, match=r"^a.zip cannot be read as an archive .*Bad CRC-32"):
        content_of(tmp_path / "a.zip")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
def test_an_archive_with_a_changed_byte_gives_its_content_or_an_error(
    tmp_path: Path, kind: str
) -> None:
    compressible = np.random.default_rng(0).integers(0, 16, 3000, dtype=np.uint8).tobytes()
    files = {"train/ant/0.png": compressible}
    content = {"zip": zip_of(files), "tar.gz": tar_of(files), "tar.xz": tar_of(files, "w:xz")}[kind]
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    refused = 0
    for place in range(0, len(content), 13):
        path.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        try:
            assert content_of(path).get("train/ant/0.png") in (None, *files.values())
        except ValueError:
            refused += 1
    assert refused > len(content) / 13 * 0.9


def test_a_zip_of_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of({"0.png": b"x"}))
    content[content.index(b"PK\x03\x04") + 8] = 99
    content[content.index(b"PK\x01\x02") + 10] = 99
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"^a.zip cannot be read .*compression (type 99|method)"):
        content_of(tmp_path / "a.zip")


def test_what_is_no_archive_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(ValueError, match=r"^notes.txt cannot be read as an archive [^\n]*$"):
        content_of(tmp_path / "notes.txt")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of({"0.png": b"x"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"^a.zip: '0.png' is encrypted; unpack it first$"):
        content_of(tmp_path / "a.zip")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    (member,) = members(tmp_path)
    assert member.content is not None
    with pytest.raises(ValueError, match=r"x\.png is a pipe, a device or a link to nothing"):
        member.content()
    with pytest.raises(ValueError, match=r"x\.png is a pipe or a device"):
        list(members(tmp_path / "x.png"))


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_small_archive_of_one_huge_file_is_refused_before_it_is_unpacked(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / f"bomb.{kind}"
    size = LARGEST_FILE + 1
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            info = zipfile.ZipInfo("train/a/x.png")
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                for _ in range(size // 2**20 + 1):
                    file.write(bytes(2**20))
    else:
        with tarfile.open(path, "w:gz") as tar:
            entry = tarfile.TarInfo("train/a/x.png")
            entry.size = size
            tar.addfile(entry, io.BytesIO(bytes(size)))
    assert path.stat().st_size < 2**20
    with pytest.raises(ValueError, match=r"one file may have at most 256 MiB"):
        list(members(path))
