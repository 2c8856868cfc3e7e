"""The greatest length of an upload, and its most pixels. How many bytes it may have, ``studio/uploads.py`` asks."""

from fractions import Fraction
from pathlib import Path

from heygem_pipeline.errors import TooLarge, TooLong
from heygem_pipeline.settings import UploadLimits


def require_length(path: Path, duration: Fraction, limit: float) -> None:
    """Raise TooLong for more than ``limit`` minutes."""
    if duration > limit * 60:
        raise TooLong("file.too_long", file=path.name, minutes=float(duration) / 60, limit=limit)


def scaled_down(width: int, height: int, limits: UploadLimits) -> tuple[int, int]:
    """Return the size in which a photograph is shown: its own, or the largest of its shape that the limits allow."""
    most = limits.max_width, limits.max_height
    share = min(Fraction(max(most), max(width, height)), Fraction(min(most), min(width, height)), Fraction(1))
    return max(1, int(width * share)), max(1, int(height * share))


def require_size(path: Path, width: int, height: int, limits: UploadLimits) -> None:
    """Raise TooLarge for a video of more pixels."""
    limit = limits.max_width, limits.max_height
    if max(width, height) > max(limit) or min(width, height) > min(limit):
        raise TooLarge(
            "picture.too_large",
            file=path.name,
            width=width,
            height=height,
            most_width=limit[0],
            most_height=limit[1],
        )
