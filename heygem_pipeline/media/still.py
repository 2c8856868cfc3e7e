"""A still picture as a presenter: read upright, transparent parts on white."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from heygem_pipeline.errors import TooLarge, TruncatedFile

FORMATS = ("JPEG", "PNG", "WEBP")


def picture_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) of an upright JPEG, PNG or WebP, told by its content; None for any other file."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            return (height, width) if turned else (width, height)
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{path.name} has too many pixels; make it smaller.") from error
    except UnidentifiedImageError:
        return None


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return the picture, uint8 (height, width, 3) BGR. Raises TruncatedFile."""
    try:
        with Image.open(BytesIO(path.read_bytes()), formats=FORMATS) as picture:
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I") or upright.mode == "F":
                upright = Image.fromarray((np.asarray(upright).astype(np.float32) / 257).round().astype(np.uint8))
            if upright.has_transparency_data:
                white = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(white, upright.convert("RGBA"))
            return np.ascontiguousarray(np.asarray(upright.convert("RGB"))[..., ::-1])
    except (OSError, SyntaxError, ValueError) as error:
        raise TruncatedFile(f"{path.name} is a damaged picture; save or upload it again.") from error
