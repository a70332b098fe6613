"""A user's own images: any layout that is not the documented one is refused by name."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ann2snn.data.loading import load
from ann2snn.data.settings import DataSettings
from ann2snn.settings import SettingError


def write_images(root: Path, *, colour: bool = False, size: tuple[int, int] = (6, 5)) -> None:
    for part, count in (("train", 6), ("test", 2)):
        for label, name in enumerate(("ant", "bee")):
            folder = root / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                shape = (*size, 3) if colour else size
                pixels = np.full(shape, 10 * label + index, np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")


def settings(path: str, **fields: int) -> DataSettings:
    return DataSettings(name="folder", path=path, validation=2, calibration=3, **fields)


@pytest.mark.parametrize("kind", ["directory", "wrapped", "tar", "zip"])
def test_a_directory_and_its_archives_are_one_data_set(tmp_path: Path, kind: str) -> None:
    write_images(tmp_path / "pets")
    path = "pets"
    if kind == "wrapped":
        (tmp_path / "outer").mkdir()
        (tmp_path / "pets").rename(tmp_path / "outer" / "pets")
        path = "outer"
    elif kind == "tar":
        path = "pets.tar.gz"
        with tarfile.open(tmp_path / path, "w:gz") as archive:
            archive.add(tmp_path / "pets", "pets")
    elif kind == "zip":
        path = "pets.zip"
        with zipfile.ZipFile(tmp_path / path, "w") as bundle:
            for file in (tmp_path / "pets").rglob("*.png"):
                bundle.write(file, file.relative_to(tmp_path / "pets"))
    dataset = load(settings(path), tmp_path)
    assert dataset.manifest["classes"] == ["ant", "bee"]
    assert dataset.train_images.shape == (12, 1, 6, 5)
    assert dataset.train_images[:, 0, 0, 0].tolist() == [*range(6), *range(10, 16)]
    assert dataset.test_labels.tolist() == [0, 0, 1, 1]
    assert str(tmp_path) not in str(dataset.manifest)


def test_colour_stays_colour_and_sizes_can_be_set(tmp_path: Path) -> None:
    write_images(tmp_path / "pets", colour=True)
    assert load(settings("pets"), tmp_path).train_images.shape == (12, 3, 6, 5)
    resized = load(settings("pets", height=8, width=4, channels=1), tmp_path)
    assert resized.train_images.shape == (12, 1, 8, 4)


def test_what_is_wrong_with_a_folder_is_named(tmp_path: Path) -> None:
    write_images(tmp_path / "pets")
    with pytest.raises(ValueError, match=r"data.path 'none' is neither a directory nor a file"):
        load(settings("none"), tmp_path)
    (tmp_path / "pets" / "test" / "cat").mkdir()
    with pytest.raises(ValueError, match=r"train/ has classes \['ant', 'bee'\], test/ has"):
        load(settings("pets"), tmp_path)
    (tmp_path / "pets" / "test" / "cat").rmdir()
    odd = tmp_path / "pets" / "train" / "bee" / "3.png"
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(odd)
    with pytest.raises(ValueError, match=r"train/bee/3.png has 9x9 pixels, others 6x5; give"):
        load(settings("pets"), tmp_path)
    odd.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"bee/3.png is not an image"):
        load(settings("pets"), tmp_path)
    for file in odd.parent.iterdir():
        file.unlink()
    with pytest.raises(ValueError, match="train/bee holds no image"):
        load(settings("pets"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty has no folder train/"):
        load(settings("empty"), tmp_path)
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(ValueError, match=r"notes.txt is neither a .zip nor a .tar archive"):
        load(settings("notes.txt"), tmp_path)


@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "train/../../evil.png"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_member_of_an_archive_leaves_its_target(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / f"pets.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as bundle:
            bundle.writestr(name, b"x")
    else:
        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(ValueError, match=r"would leave the folder it is unpacked to"):
        load(settings(path.name), tmp_path)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside"])
def test_links_out_of_an_archive_are_refused(tmp_path: Path, target: str) -> None:
    with tarfile.open(tmp_path / "pets.tar", "w") as archive:
        member = tarfile.TarInfo("train")
        member.type = tarfile.SYMTYPE
        member.linkname = target
        archive.addfile(member)
    with pytest.raises(ValueError, match=r"pets.tar cannot be unpacked"):
        load(settings("pets.tar"), tmp_path)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ann2snn.data.folder.LARGEST_UNPACKED", 10)
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as bundle:
        bundle.writestr("train/ant/0.png", b"x" * 11)
    with pytest.raises(ValueError, match=r"pets.zip unpacks to more than"):
        load(settings("pets.zip"), tmp_path)


def test_a_folder_needs_its_path() -> None:
    with pytest.raises(SettingError, match="path must be given for data=folder"):
        DataSettings(name="folder")
