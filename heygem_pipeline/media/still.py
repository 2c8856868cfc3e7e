"""A still picture as a presenter: read upright, in the colours of sRGB, transparent parts on white."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from heygem_pipeline.errors import TooLarge, TruncatedFile

FORMATS = ("JPEG", "PNG", "WEBP")
ORIENTATION_TAG = 0x0112
SAME_COLOURS = 2
"""Levels of 255: a profile that moves no colour by more is left alone."""

SIDES_SWAPPED = (5, 6, 7, 8)
"""EXIF orientations by which width and height change places."""


def picture_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) of an upright JPEG, PNG or WebP, known by its content; None for other files.

    Raises TruncatedFile and TooLarge.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if not (head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (head[:4], head[8:]) == (b"RIFF", b"WEBP")):
        return None
    with _naming_damage(path), Image.open(path, formats=FORMATS) as picture:
        width, height = picture.size
        return (height, width) if _orientation(picture) in SIDES_SWAPPED else (width, height)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return the picture, uint8 (height, width, 3) BGR. Raises TruncatedFile."""
    with _naming_damage(path), Image.open(path, formats=FORMATS) as picture:
        upright = picture if _orientation(picture) == 1 else ImageOps.exif_transpose(picture)
        upright = _in_srgb(upright)
        if upright.mode.startswith("I"):
            upright = Image.fromarray((np.asarray(upright).astype(np.float32) / 257).round().astype(np.uint8))
        if upright.has_transparency_data:
            white = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(white, upright.convert("RGBA"))
        return np.ascontiguousarray(np.asarray(upright.convert("RGB"))[..., ::-1])


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Apply the picture's colour profile (Display P3, Adobe RGB, a printer's ...); one that cannot be used is passed
    over, as viewers do."""
    content = picture.info.get("icc_profile")
    if not content:
        return picture
    from PIL import ImageCms

    try:
        profile, srgb = ImageCms.ImageCmsProfile(io.BytesIO(content)), ImageCms.createProfile("sRGB")
        if picture.mode in ("P", "PA"):
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        shown = "RGBA" if picture.mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(profile, srgb, picture.mode, shown)
        if picture.mode in ("RGB", "RGBA"):
            levels = np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3), axis=-1).reshape(1, -1, 3)
            colours = Image.fromarray(levels).convert(picture.mode)
            moved = np.asarray(transform.apply(colours).convert("RGB")).astype(int) - levels
            if np.abs(moved).max() <= SAME_COLOURS:
                return picture
        return transform.apply(picture)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def _orientation(picture: Image.Image) -> int:
    # To look for EXIF at the end of a PNG, Pillow would decode it; cameras do not write PNG.
    return 1 if picture.format == "PNG" else picture.getexif().get(ORIENTATION_TAG, 1)


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except Image.DecompressionBombError as error:
        raise TooLarge("picture.too_many_pixels", file=path.name) from error
    except Exception as error:  # Pillow raises whatever its parsers met: OSError, SyntaxError, struct.error ...
        raise TruncatedFile("picture.damaged", file=path.name) from error
