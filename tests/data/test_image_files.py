"""Pixels of image files: which become grey, which colour, and which are refused by name."""

import io

import numpy as np
import pytest
from PIL import Image

from ann2snn.data.image_file import pixels
from tests.data.small_archives import image_file

RAMP = np.arange(30, dtype=np.uint8).reshape(6, 5)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_grey_pixels_stay_as_they_are() -> None:
    assert np.array_equal(pixels(image_file(RAMP), "a"), RAMP[None])


def test_colour_pixels_come_channel_first() -> None:
    colour = np.stack([RAMP, RAMP + 50, RAMP + 100], axis=-1)
    assert np.array_equal(pixels(image_file(colour), "a"), [RAMP, RAMP + 50, RAMP + 100])


def test_transparency_is_left_out() -> None:
    opaque = np.full_like(RAMP, 7)
    grey = Image.fromarray(np.stack([RAMP, opaque], axis=-1), "LA")
    assert np.array_equal(pixels(saved(grey), "a"), RAMP[None])
    colour = Image.fromarray(np.stack([RAMP, RAMP, RAMP, opaque], axis=-1), "RGBA")
    assert np.array_equal(pixels(saved(colour), "a"), [RAMP, RAMP, RAMP])


def test_black_and_white_has_the_two_ends_of_the_range() -> None:
    image = Image.fromarray((RAMP > 9).astype(np.uint8) * 255).convert("1")
    assert np.array_equal(pixels(saved(image), "a")[0], (RAMP > 9) * 255)


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_palette_counts_as_colour(kind: str) -> None:
    image = Image.fromarray(RAMP % 3, "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    expected = [np.where(channel == RAMP % 3, 255, 0) for channel in range(3)]
    assert np.array_equal(pixels(saved(image, kind), "a"), expected)
    transparent = saved(image, kind, transparency=bytes([0, 128, 255]) if kind == "PNG" else 0)
    assert np.array_equal(pixels(transparent, "a"), expected)


def test_sixteen_bits_are_scaled_to_eight() -> None:
    deep = np.array([[0, 128, 129, 257], [65535, 65406, 65407, 32768]], np.uint16)
    # k of 65535 is the nearest whole number of k / 257.
    assert pixels(image_file(deep), "a").tolist() == [[[0, 0, 1, 1], [255, 254, 255, 128]]]  # type: ignore[arg-type]


def test_channels_can_be_asked_for() -> None:
    assert np.array_equal(pixels(image_file(RAMP), "a", channels=3), [RAMP] * 3)
    colour = np.full((6, 5, 3), (10, 20, 30), np.uint8)
    # Luminance by ITU-R 601-2: 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15.
    assert pixels(image_file(colour), "a", channels=1).tolist() == [[[18] * 5] * 6]


def test_one_size_or_both_can_be_asked_for() -> None:
    content = image_file(np.full((6, 5), 9, np.uint8))
    assert np.array_equal(pixels(content, "a", height=3), np.full((1, 3, 5), 9))
    assert np.array_equal(pixels(content, "a", height=3, width=8), np.full((1, 3, 8), 9))


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow also warns of some damage
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "AVIF"])
def test_a_damaged_image_of_any_kind_is_named(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = image_file(noise, kind)
    for kept in (0, 10, 60, len(content) // 2):
        with pytest.raises(ValueError, match=r"^ant/0.png (cannot be read as|is not) an image"):
            pixels(content[:kept], "ant/0.png")


def test_damage_that_pillow_reports_in_its_own_ways_is_named() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    png, avif = image_file(noise), image_file(noise, "AVIF")
    length = png.index(b"IDAT") - 4
    with pytest.raises(ValueError, match=r"^a cannot be read as an image: broken PNG file"):
        pixels(png[:length] + bytes([0, 0, 0, 100]) + png[length + 4 :], "a")
    data = avif.index(b"mdat") + 4
    with pytest.raises(ValueError, match=r"^a cannot be read as an image: Failed to decode"):
        pixels(avif[:data] + bytes(len(avif) - data), "a")


def test_what_is_no_image_is_named() -> None:
    with pytest.raises(ValueError, match=r"^ant/0.png is not an image that Pillow knows$"):
        pixels(b"no image", "ant/0.png")


@pytest.mark.parametrize("excess", [1.5, 3.0])
def test_an_image_beyond_pillows_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch, excess: float
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(30 / excess))
    with pytest.raises(ValueError, match=r"^ant/0.png is too large for an image: .*30 pixels"):
        pixels(image_file(RAMP), "ant/0.png")


def test_pixels_without_a_fixed_range_are_refused() -> None:
    content = saved(Image.fromarray(RAMP.astype(np.float32)), "TIFF")
    with pytest.raises(
        ValueError, match=r"^a cannot be read as an image: pixels of kind F have no fixed range"
    ):
        pixels(content, "a")


def turned(orientation: int) -> bytes:
    """A red pixel beside a blue one, by EXIF to be seen otherwise."""
    image = Image.new("RGB", (2, 1), (255, 0, 0))
    image.putpixel((1, 0), (0, 0, 255))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    image.save(content, "PNG", exif=exif)
    return content.getvalue()


@pytest.mark.parametrize(
    ("orientation", "shape", "first"),
    [(1, (3, 1, 2), 255), (2, (3, 1, 2), 0), (3, (3, 1, 2), 0), (6, (3, 2, 1), 255),
     (8, (3, 2, 1), 0)],
)  # fmt: skip
def test_an_image_is_taken_as_it_is_seen(
    orientation: int, shape: tuple[int, ...], first: int
) -> None:
    found = pixels(turned(orientation), "photo.png")
    assert found.shape == shape
    assert found[0, 0, 0] == first


def test_an_animation_is_refused_by_name() -> None:
    content = io.BytesIO()
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 90, 200)]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"moving\.gif .* holds 3 images; save the one"):
        pixels(content.getvalue(), "moving.gif")
