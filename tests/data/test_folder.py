"""A user's own images: any layout that is not the documented one is refused by name."""

import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ann2snn.data import image_folder
from ann2snn.data.dataset import load
from ann2snn.data.sets.folder import manifest_name
from ann2snn.data.settings import DataSettings
from ann2snn.settings import SettingError
from tests.data.small_archives import image_file, pets, tar_of, write


def settings(path: str = "pets", **fields: int) -> DataSettings:
    return DataSettings(name="folder", path=path, validation=2, calibration=3, **fields)


@pytest.mark.parametrize(
    "path", ["pets", "outer/pets", "pets.tar", "pets.tar.gz", "pets.tgz", "pets.zip"]
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_directory_and_its_archives_are_one_data_set(
    tmp_path: Path, path: str, wrapped: bool
) -> None:
    files = {f"inside/{name}" if wrapped else name: content for name, content in pets().items()}
    if path.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / path, "w") as bundle:
            for name, content in reversed(files.items()):
                bundle.writestr(name, content)
    elif "." in path:
        backwards = dict(reversed(files.items()))
        (tmp_path / path).write_bytes(tar_of(backwards, "w" if path.endswith(".tar") else "w:gz"))
    else:
        write(files, tmp_path / path)
    dataset = load(settings(path), tmp_path)
    assert dataset.manifest["name"] == "pets"
    assert dataset.manifest["classes"] == ["ant", "bee"]
    assert dataset.manifest["shape"] == [1, 6, 5]
    assert dataset.manifest["counts"] == {
        "train": 12, "validation": 2, "calibration": 3, "test": 4,
    }  # fmt: skip
    assert dataset.train_images[:, 0, 0, 0].tolist() == [*range(6), *range(10, 16)]
    assert dataset.train_labels.tolist() == [0] * 6 + [1] * 6
    assert dataset.test_labels.tolist() == [0, 0, 1, 1]
    assert str(tmp_path) not in str(dataset.manifest)
    assert load(settings(str(tmp_path / path)), Path("elsewhere")).manifest == dataset.manifest


def test_colour_stays_colour_and_shape_can_be_set(tmp_path: Path) -> None:
    write(pets(colour=True), tmp_path / "pets")
    assert load(settings(), tmp_path).train_images.shape == (12, 3, 6, 5)
    resized = load(settings(height=8, width=4, channels=1), tmp_path)
    assert resized.train_images.shape == (12, 1, 8, 4)
    assert resized.manifest["source"] == "a folder of images, resized"


def test_litter_and_files_beside_the_layout_are_left_out(tmp_path: Path) -> None:
    write(pets(), tmp_path / "clean")
    litter = [
        ".DS_Store", "train/.DS_Store", "train/ant/.DS_Store", "train/ant/Thumbs.db",
        "__MACOSX/train/ant/._0.png", "README.md", "docs/a/b/c/d/e/f.txt", ".git/train/ant/x",
    ]  # fmt: skip
    write({**pets(), **dict.fromkeys(litter, b"litter")}, tmp_path / "pets")
    dirty, clean = load(settings(), tmp_path), load(settings("clean"), tmp_path)
    assert dirty.manifest == {**clean.manifest, "name": "pets"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train/bee/3.png": image_file(np.zeros((9, 9), np.uint8))},
            r"train/bee/3.png has channels, height and width \(1, 9, 9\), test/ant/0.png \(1, 6, 5",
        ),
        (
            {"train/bee/3.png": image_file(np.zeros((6, 5, 3), np.uint8))},
            r"train/bee/3.png has .* \(3, 6, 5\), test/ant/0.png \(1, 6, 5\); give data.channels, ",
        ),
        ({"train/bee/3.png": b"no image"}, "train/bee/3.png is not an image that Pillow knows"),
        ({"train/notes.txt": b""}, r"pets: 'train/notes.txt' is out of place; images lie in \{tr"),
        ({"train/bee/big/3.png": b""}, "pets: 'train/bee/big' is out of place"),
        ({"test/cat/3.png": pets()["test/ant/0.png"]}, "pets: train/cat holds no image"),
        ({"train/cat/3.png": pets()["test/ant/0.png"]}, "pets: test/cat holds no image"),
        (
            {"old/train/ant/0.png": pets()["test/ant/0.png"]},
            "pets has train/ or test/ in more than one folder: '",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_named(
    tmp_path: Path, changes: dict[str, bytes], message: str
) -> None:
    write({**pets(), **changes}, tmp_path / "pets")
    with pytest.raises(ValueError, match=f"^{message}"):
        load(settings(), tmp_path)


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("", r"pets has no class in train/; images lie in \{train,test\}/\{class\}/image"),
        ("train", "pets has no class in train/"),
        ("test", "pets has no class in test/"),
        ("/bee/", "pets has one class, 'ant'; it takes at least two"),
        ("test/bee", "pets: test/bee holds no image"),
    ],
)
def test_a_part_or_a_class_that_is_missing_is_named(
    tmp_path: Path, gone: str, message: str
) -> None:
    (tmp_path / "pets").mkdir()
    write({n: c for n, c in pets().items() if gone not in n}, tmp_path / "pets")
    with pytest.raises(ValueError, match=f"^{message}"):
        load(settings(), tmp_path)


@pytest.mark.parametrize("kind", ["directory", "tar", "zip"])
def test_a_class_without_an_image_is_named(tmp_path: Path, kind: str) -> None:
    write({n: c for n, c in pets().items() if "test/bee" not in n}, tmp_path / "pets")
    (tmp_path / "pets" / "test" / "bee").mkdir()
    path = "pets" if kind == "directory" else f"pets.{kind}"
    if kind == "tar":
        with tarfile.open(tmp_path / path, "w") as archive:
            archive.add(tmp_path / "pets", ".")
    elif kind == "zip":
        with zipfile.ZipFile(tmp_path / path, "w") as bundle:
            for file in sorted((tmp_path / "pets").rglob("*")):
                bundle.write(file, file.relative_to(tmp_path / "pets"))
    with pytest.raises(ValueError, match=rf"^{path}: test/bee holds no image$"):
        load(settings(path), tmp_path)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^data.path 'none' is neither a directory nor a file; a"):
        load(settings("none"), tmp_path)


def test_pixels_have_a_limit_in_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(pets(), tmp_path / "pets")
    monkeypatch.setattr(image_folder, "LARGEST_TOTAL", 16 * 30)
    assert len(load(settings(), tmp_path).train_images) == 12
    monkeypatch.setattr(image_folder, "LARGEST_TOTAL", 16 * 30 - 1)
    with pytest.raises(ValueError, match=r"^pets holds more than 4\S+ GiB of pixels$"):
        load(settings(), tmp_path)


def test_no_folder_takes_the_name_of_a_data_set_that_reports_know() -> None:
    assert manifest_name(Path("my.pets.v2.tar.gz")) == "my.pets.v2"
    assert manifest_name(Path("MNIST.ZIP")) == "MNIST (folder)"
    assert manifest_name(Path("CIFAR-10")) == "CIFAR-10 (folder)"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "folder"}, "path must be given for data=folder, got ''"),
        ({"path": "pets"}, "path must be '' unless data=folder, got 'pets'"),
        ({"channels": 3}, "channels must be 0 unless data=folder, got 3"),
        ({"height": 8}, "height must be 0 unless data=folder, got 8"),
        ({"width": 8}, "width must be 0 unless data=folder, got 8"),
        ({"name": "folder", "path": "pets", "channels": 2}, "channels must be 0, 1 or 3, got 2"),
        ({"name": "imagenet"}, "name must be one of cifar10, .*digits, .*folder, .*got 'imagenet'"),
        ({"validation": 0}, "validation must be at least 1, got 0"),
        ({"calibration": 0}, "calibration must be at least 1, got 0"),
        ({"seed": -1}, r"seed must be in \[0, 1000000000000000000\], got -1"),
    ],
)
def test_toggles_that_do_not_go_together_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=f"^{message}"):
        DataSettings(**fields)
