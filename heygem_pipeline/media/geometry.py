"""How a stored frame becomes an upright picture with square pixels."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

NEARLY_SQUARE = Fraction(1, 100)
"""Pixels this near to square, as rounded sizes leave them, count as square: resampling costs more than it mends."""


@dataclass(frozen=True)
class Orientation:
    """How a stored frame is turned upright: first mirrored left to right or not, then by quarter turns clockwise."""

    quarter_turns: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Width and height change places."""
        return self.quarter_turns % 2 == 1

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the upright picture, contiguous and writable."""
        import cv2

        upright = cv2.flip(pixels, 1) if self.mirrored else pixels
        if self.quarter_turns:
            turns = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
            upright = cv2.rotate(upright, turns[self.quarter_turns - 1])
        return np.require(upright, np.uint8, ["C", "W"])


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read the display matrix of a frame, rounded to quarter turns, as players do."""
    try:
        matrix = frame.side_data[Type.DISPLAYMATRIX]  # pyright: ignore  # PyAV types it as one item
    except KeyError:
        return Orientation()
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).astype(float)
    # Stored (x, y) is shown at (a x + c y, b x + d y), y down.
    mirrored = bool(a * d - b * c < 0)
    if mirrored:
        a, b = -a, -b
    return Orientation(round(np.degrees(np.arctan2(b, a)) / 90) % 4, mirrored)


def square_size(width: int, height: int, sample_aspect: Fraction | None) -> tuple[int, int]:
    """Return the size with square pixels: the shorter side of a pixel is stretched, so that no detail is lost."""
    if not sample_aspect or abs(sample_aspect - 1) < NEARLY_SQUARE or not Fraction(1, 4) <= sample_aspect <= 4:
        return width, height
    if sample_aspect > 1:
        return round(width * sample_aspect), height
    return width, round(height / sample_aspect)
