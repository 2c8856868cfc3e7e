"""A still picture as a presenter: read upright, in the colours of sRGB, transparent parts on white."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from heygem_pipeline.errors import BadInput, NotMedia, TooLarge, TruncatedFile
from heygem_pipeline.media.heif import HeifDamaged, describe_heif, is_heif, read_heif
from heygem_pipeline.media.tone_mapping import HIGH_DYNAMIC_RANGE

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
AVIF_BRANDS = (b"avif", b"avis")

MOST_PIXELS, MOST_PIXELS_AT_ONCE = 64_000_000, 36_000_000
"""Larger pictures are refused unseen; the smaller number holds for those that can only be decoded whole."""

MOST_CHUNKS, MOST_CHUNK_BYTES = 100_000, 2**20
ORIENTATION_TAG = 0x0112
SAME_COLOURS = 2
"""Levels of 255: a profile that moves no colour by more is left alone."""

SIDES_SWAPPED = (5, 6, 7, 8)
"""EXIF orientations by which width and height change places."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings each EXIF orientation upright."""


def picture_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) of an upright JPEG, PNG, WebP, AVIF or HEIC, known by its content; None for other files.

    Nothing is decoded. Raises TruncatedFile, TooLarge, and NotMedia for an animated picture.
    """
    head = _head(path)
    if head.startswith(b"GIF8"):
        raise NotMedia("picture.animated", file=path.name)
    if is_heif(head):
        with _naming_damage(path):
            described = describe_heif(path)
        return None if described is None else _affordable(path, *described.upright_size, MOST_PIXELS)
    if not _is_picture(head):
        return None
    with _naming_damage(path), Image.open(path, formats=FORMATS) as picture:
        width, height = picture.size
        # A telephone's JPEG may hold a second picture: of depth, or for bright displays.
        if picture.format not in ("JPEG", "MPO") and getattr(picture, "is_animated", False):
            raise NotMedia("picture.animated", file=path.name)
        if picture.format == "PNG" and _is_high_dynamic_range(path):
            raise NotMedia("picture.high_dynamic_range", file=path.name)
        size = (height, width) if _orientation(picture, path) in SIDES_SWAPPED else (width, height)
        return _affordable(path, *size, MOST_PIXELS if picture.format in ("JPEG", "MPO") else MOST_PIXELS_AT_ONCE)


def read_picture(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return the picture, uint8 (height, width, 3) BGR, scaled down to ``size``. Raises TruncatedFile."""
    head = _head(path)
    if is_heif(head) or _is_avif(head):
        with _naming_damage(path):
            described = describe_heif(path)
            if described is None:
                raise HeifDamaged
            # Of AVIF, Pillow has the numbers in 8 bits, whatever colours they stand for.
            if is_heif(head) or described.of_other_colours:
                picture = Image.fromarray(read_heif(path, described)[..., ::-1])
                picture.info["icc_profile"] = described.profile
                return _pixels(picture, size)
    with _naming_damage(path), Image.open(path, formats=FORMATS) as picture:
        orientation = _orientation(picture, path)
        if size is not None:
            # A JPEG is decoded at a half, a quarter or an eighth of its size, whatever is enough.
            width, height = size
            picture.draft(None, (height, width) if orientation in SIDES_SWAPPED else (width, height))
        turn = TURNS.get(orientation)
        return _pixels(picture if turn is None else picture.transpose(turn), size)


def _pixels(picture: Image.Image, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    if picture.mode.startswith("I"):
        picture = Image.fromarray((np.asarray(picture).astype(np.float32) / 257).round().astype(np.uint8))
    if size is not None and size != picture.size:
        if picture.mode in ("1", "P", "PA"):
            picture = _converted(picture, "RGBA" if picture.has_transparency_data else "RGB")
        profile = picture.info.get("icc_profile")
        picture = picture.resize(size, Image.Resampling.LANCZOS)
        picture.info["icc_profile"] = profile
    picture = _in_srgb(picture)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[..., ::-1])


def _converted(picture: Image.Image, mode: str) -> Image.Image:
    """Another kind of pixels, with the picture's profile."""
    converted = picture.convert(mode)
    converted.info["icc_profile"] = picture.info.get("icc_profile")
    return converted


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _is_picture(head: bytes) -> bool:
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (head[:4], head[8:12]) == (b"RIFF", b"WEBP"):
        return True
    return _is_avif(head)


def _is_avif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in AVIF_BRANDS


def _affordable(path: Path, width: int, height: int, most: int) -> tuple[int, int]:
    if width * height > most:
        raise TooLarge("picture.too_many_pixels", file=path.name)
    return width, height


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


def _orientation(picture: Image.Image, path: Path) -> int:
    if picture.format == "PNG":
        # To look for EXIF at the end of a PNG, Pillow would decode it.
        exif = Image.Exif()
        content = _png_chunk(path, b"eXIf")
        if content is not None:
            exif.load(content)
        return exif.get(ORIENTATION_TAG, 1)
    return picture.getexif().get(ORIENTATION_TAG, 1)


def _is_high_dynamic_range(path: Path) -> bool:
    """Does a PNG say (by cICP: primaries, transfer, matrix, range) that its colours are not ordinary ones?"""
    said = _png_chunk(path, b"cICP")
    return said is not None and len(said) > 1 and said[1] in HIGH_DYNAMIC_RANGE


def _png_chunk(path: Path, name: bytes) -> bytes | None:
    """The content of a chunk of a PNG, wherever it stands."""
    with path.open("rb") as file:
        file.seek(8)
        for _ in range(MOST_CHUNKS):
            header = file.read(8)
            if len(header) < 8 or header[4:] == b"IEND":
                return None
            (size,) = struct.unpack(">I", header[:4])
            if header[4:] == name:
                return file.read(min(size, MOST_CHUNK_BYTES))
            file.seek(size + 4, 1)
    return None


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except Image.DecompressionBombError as error:
        raise TooLarge("picture.too_many_pixels", file=path.name) from error
    except Exception as error:  # Pillow raises whatever its parsers met: OSError, SyntaxError, struct.error ...
        raise TruncatedFile("picture.damaged", file=path.name) from error
