"""Splits, manifest and the saved form, on scikit-learn's digits."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ann2snn.data.dataset import ARRAYS, Dataset, load, open_saved, save
from ann2snn.data.settings import DataSettings
from ann2snn.data.source import DATA_SETS, fingerprint
from ann2snn.data.splits import split
from tests.data.small_archives import pets, tar_of, write

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load(DataSettings(), Path("none"))


def test_digits_have_a_fixed_test_set_with_all_classes_alike(digits: Dataset) -> None:
    assert digits.levels == digits.train_images.max() == 16
    assert digits.train_images.shape == (1437, 1, 8, 8)
    # 360 of 1,797 images; the classes have 174 to 183.
    assert set(np.bincount(digits.test_labels)) <= {35, 36, 37}
    other = load(DataSettings(seed=1), Path("none"))
    assert other.manifest["sha256"] == digits.manifest["sha256"]
    assert not np.array_equal(other.validation, digits.validation)
    assert other.manifest != digits.manifest


def test_every_data_set_has_names_of_its_own_and_says_from_which_file_it_comes() -> None:
    names = [name for source in DATA_SETS.values() for name in source.manifest_names]
    assert set(names) == {
        "digits", "MNIST", "Fashion-MNIST", "CIFAR-10", "CIFAR-10 (JPEG copy)",
        "CIFAR-10 (1,000 original test images)", "CIFAR-100",
    }  # fmt: skip
    assert len(names) == len(set(names))
    assert list(DATA_SETS) == sorted(DATA_SETS)
    for name in DATA_SETS:
        expected = SOURCE / "ann2snn" / "data" / "sets" / f"{name}.py"
        assert DATA_SETS.source_file(name) == expected


def test_a_manifest_under_a_name_that_its_data_set_does_not_bear_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renamed = dataclasses.replace(DATA_SETS["digits"], manifest_names=("numerals", "ciphers"))
    monkeypatch.setitem(DATA_SETS._rows, "digits", renamed)
    with pytest.raises(
        ValueError,
        match=r"^the manifest's name of data set digits must be one of numerals, ciphers, got 'dig",
    ):
        load(DataSettings(), Path("none"))


def test_the_manifest_says_what_there_is(digits: Dataset) -> None:
    digest = hashlib.sha256(digits.test_labels.astype("<i8").tobytes()).hexdigest()
    assert digits.manifest["sha256"]["test_labels"] == digest
    assert {**digits.manifest, "sha256": 0} == {
        "name": "digits",
        "source": "scikit-learn's load_digits; 360 test images by a fixed stratified split",
        "shape": [1, 8, 8],
        "levels": 16,
        "classes": list("0123456789"),
        "counts": {"train": 1437, "validation": 200, "calibration": 500, "test": 360},
        "splits_seed": 0,
        "sha256": 0,
    }


@pytest.mark.parametrize(("validation", "calibration"), [(1, 1), (30, 20), (1, 99), (99, 1)])
def test_fit_and_validation_are_all_of_train_and_calibration_is_a_part_of_fit(
    validation: int, calibration: int
) -> None:
    fit, held_out, measured = split(100, validation, calibration, seed=7)
    assert sorted([*fit, *held_out]) == list(range(100))
    assert (len(held_out), len(measured)) == (validation, calibration)
    assert set(measured) <= set(fit)
    assert all(np.array_equal(np.sort(part), part) for part in (fit, held_out, measured))


def test_splits_are_a_seeded_permutation_that_stays_the_same() -> None:
    order = [4, 6, 2, 7, 3, 5, 9, 0, 8, 1]  # numpy's PCG64 with seed 0
    fit, validation, calibration = split(10, 3, 4, seed=0)
    assert validation.tolist() == sorted(order[:3])
    assert fit.tolist() == sorted(order[3:])
    assert calibration.tolist() == sorted(order[3:7])
    assert split(10, 3, 4, seed=1)[1].tolist() != validation.tolist()


def test_a_larger_calibration_set_contains_the_smaller_one() -> None:
    assert set(split(100, 10, 20, seed=3)[2]) < set(split(100, 10, 30, seed=3)[2])


@pytest.mark.parametrize(("validation", "calibration"), [(1000, 438), (1437, 1)])
def test_splits_must_leave_something_to_fit(validation: int, calibration: int) -> None:
    with pytest.raises(
        ValueError,
        match=f"^data.validation {validation} and data.calibration {calibration} must fit into the"
        " 1437 training images together$",
    ):
        load(DataSettings(validation=validation, calibration=calibration), Path("none"))


def test_a_saved_data_set_opens_equal_and_is_mapped_from_disk(
    digits: Dataset, tmp_path: Path
) -> None:
    save(digits, tmp_path / "new")
    save(digits, tmp_path / "new")
    again = open_saved(tmp_path / "new")
    assert again.manifest == digits.manifest
    for name in ARRAYS:
        array = getattr(again, name)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
        assert array.dtype == getattr(digits, name).dtype
        assert np.array_equal(array, getattr(digits, name))
    expected = {"manifest.json", *(f"{name}.npy" for name in ARRAYS)}
    assert {path.name for path in (tmp_path / "new").iterdir()} == expected


def test_arrays_that_the_manifest_does_not_describe_are_not_saved(
    digits: Dataset, tmp_path: Path
) -> None:
    brighter = dataclasses.replace(digits, test_images=digits.test_images + 1)
    with pytest.raises(ValueError, match=r"^test_images has changed since the manifest was made"):
        save(brighter, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_save_that_fails_leaves_nothing_that_opens(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(digits, tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        save(digits, tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
    with pytest.raises(ValueError, match="is not a saved data set"):
        open_saved(tmp_path)


@pytest.mark.parametrize(
    "damage", ["gone", "cut off", "pickled", "no json", "empty", "no counts", "short"]
)
def test_a_folder_that_is_no_whole_data_set_is_refused(
    digits: Dataset, tmp_path: Path, damage: str
) -> None:
    save(digits, tmp_path)
    path = tmp_path / "train_images.npy"
    if damage == "gone":
        path.unlink()
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "pickled":
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    elif damage == "short":
        np.save(path, digits.train_images[:7])
    else:
        text = {"no json": "{", "empty": "{}", "no counts": '{"counts": {}}'}[damage]
        (tmp_path / "manifest.json").write_text(text)
    message = "holds 7 train_images, its manifest says 1437" if damage == "short" else (
        r"is not a saved data set \(.*\); remove it and it will be made again"
    )  # fmt: skip
    with pytest.raises(ValueError, match=message):
        open_saved(tmp_path)


def test_data_load_without_torch(tmp_path: Path) -> None:
    write(pets(), tmp_path / "pets")
    script = """
import sys
from pathlib import Path
from ann2snn.data.dataset import load, open_saved, save
from ann2snn.data.settings import DataSettings
root = Path(sys.argv[1])
for settings in (DataSettings(), DataSettings("folder", "pets", validation=2, calibration=3)):
    save(load(settings, root), root / "saved")
    print(open_saved(root / "saved").manifest["name"])
loaded = {"torch", "torchvision", "pytorch_lightning", "mlflow", "hydra"} & set(sys.modules)
assert not loaded, loaded
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.stdout, result.stderr) == ("digits\npets\n", "")


def test_a_fingerprint_tells_which_original_is_there(tmp_path: Path) -> None:
    settings = DataSettings(name="cifar10")
    assert fingerprint(settings, tmp_path) == ""
    (tmp_path / "cifar10-jpg.tar.gz").touch()
    assert fingerprint(settings, tmp_path) == "jpeg"
    (tmp_path / "cifar-10-python.tar.gz").touch()
    assert fingerprint(settings, tmp_path) == "batches"
    (tmp_path / "cifar-10-python.tar.gz").unlink()
    (tmp_path / "cifar-10-batches-py").mkdir()
    assert fingerprint(settings, tmp_path) == "batches"
    assert fingerprint(DataSettings(name="mnist"), tmp_path) == ""
    write({"MNIST/raw/train-images-idx3-ubyte.gz": b""}, tmp_path)
    assert fingerprint(DataSettings(name="mnist"), tmp_path) == "idx"


@pytest.mark.parametrize("path", ["pets", "pets.tar"])
def test_a_folders_fingerprint_changes_with_its_files_alone(tmp_path: Path, path: str) -> None:
    settings = DataSettings(name="folder", path=path)
    assert fingerprint(settings, tmp_path) == ""
    if path == "pets":
        write(pets(), tmp_path / "pets")
    else:
        (tmp_path / path).write_bytes(tar_of(pets(), "w"))
    before = fingerprint(settings, tmp_path)
    assert before == fingerprint(settings, tmp_path) != ""
    changed = tmp_path / path if path == "pets.tar" else tmp_path / "pets/train/ant/0.png"
    changed.write_bytes(changed.read_bytes() + b"x")
    assert fingerprint(settings, tmp_path) not in ("", before)
