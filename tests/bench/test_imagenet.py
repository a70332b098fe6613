"""The ImageNet example cuts images as the network was tested, and its results are exact."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.imagenet import RESULTS, VARIANTS, cropped, labelled_images


def test_all_variants_were_exact_and_both_engines_agreed() -> None:
    variants = json.loads(RESULTS.read_text(encoding="utf-8"))["variants"]
    assert [variant["name"] for variant in variants] == [variant.name for variant in VARIANTS]
    assert all(variant["exact"] and variant["engines_agree"] for variant in variants)


def test_the_centre_is_cut_out_of_an_image_whose_shorter_side_is_256() -> None:
    rows = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 512, axis=1)
    columns = np.repeat(np.arange(512)[None] // 2, 256, axis=0).astype(np.uint8)
    picture = Image.fromarray(np.stack([rows, columns, rows], axis=2))
    found = cropped(picture)
    assert found.shape == (3, 224, 224)
    assert np.array_equal(found[0], rows[16:240, 144:368])
    assert np.array_equal(found[1], columns[16:240, 144:368])
    assert cropped(picture.resize((1024, 512))).shape == (3, 224, 224)


def test_labels_stand_in_the_names_of_a_wheels_images(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "foolbox-0-py3-none-any.whl", "w") as wheel:
        for name, grey in (("imagenet_01_7.jpg", 200), ("imagenet_00_955.jpg", 90)):
            content = io.BytesIO()
            Image.new("RGB", (300, 260), (grey, grey, grey)).save(content, "JPEG")
            wheel.writestr(f"foolbox/data/{name}", content.getvalue())
        wheel.writestr("foolbox/data/cifar10_00_3.png", b"another data set")
    images, labels = labelled_images(tmp_path)
    assert labels.tolist() == [955, 7]
    assert images.shape == (2, 3, 224, 224)
    assert images[:, 0, 0, 0].tolist() == [90, 200]
