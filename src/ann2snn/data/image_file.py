"""An image file as whole-number pixels."""

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

GREY = ("1", "L", "LA", "La")
COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
MAIN_FIRST = ("MPO",)  # cameras put previews behind the photograph
UPRIGHT = 1  # EXIF's orientation of an image whose rows and columns are as it is seen
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")


def pixels(
    content: bytes, name: str, *, channels: int = 0, height: int = 0, width: int = 0
) -> npt.NDArray[np.uint8]:
    """Pixels (C, H, W) of 0 to 255 of the image file `content`, any that Pillow reads.

    Grey images have 1 channel, those with colours or a palette 3, unless `channels` says which;
    transparency is left out, 16-bit grey is scaled to 8 bits. A `height` or `width` other than 0
    resizes (bilinear, with antialiasing). An image that its EXIF data turn or mirror is taken as
    it is seen.

    Raises:
        ValueError: names the image, which is damaged, too large (Pillow's limit), one of several in
            its file (an animation) or of a kind without a fixed range of pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = _plain(content)
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is not an image that Pillow knows") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{name} is too large for an image: {error}") from error
    except Exception as error:  # Pillow's decoders raise errors of all kinds over damaged files
        raise ValueError(f"{name} cannot be read as an image: {error or type(error)}") from error
    if channels:
        image = image.convert("L" if channels == 1 else "RGB")
    if height or width:
        size = width or image.width, height or image.height
        image = image.resize(size, Image.Resampling.BILINEAR)
    array = np.asarray(image, np.uint8)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _plain(content: bytes) -> Image.Image:
    """The decoded image in mode L or RGB."""
    with Image.open(io.BytesIO(content)) as file:
        frames = getattr(file, "n_frames", 1)
        if frames > 1 and file.format not in MAIN_FIRST:
            raise ValueError(f"it holds {frames} images; save the one that is meant")
        turned = file.getexif().get(ExifTags.Base.Orientation, UPRIGHT) != UPRIGHT
        image = ImageOps.exif_transpose(file) if turned else file
        if image.mode in GREY:
            return image.convert("L")
        if image.mode in DEEP_GREY:
            deep = np.asarray(image).astype(np.uint32)
            return Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
        if image.mode not in COLOUR:
            raise ValueError(f"pixels of kind {image.mode} have no fixed range; save it as 8 bits")
        if image.has_transparency_data:
            return image.convert("RGBA").convert("RGB")
        return image.convert("RGB")
