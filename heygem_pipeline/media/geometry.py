"""How stored pixels become an upright picture with square pixels, and which colours they stand for."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

UNSPECIFIED = 2
"""AVCOL_SPC_UNSPECIFIED: the file does not say by which matrix its colours were made."""

HIGH_DEFINITION_WIDTH, HIGH_DEFINITION_HEIGHT = 1280, 720
"""From this size on, untagged video is read as BT.709, below as BT.601, as players do."""


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
        """Return the upright picture, contiguous."""
        if self.mirrored:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(np.rot90(pixels, -self.quarter_turns))


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read the display matrix of a frame, rounded to quarter turns, as players do."""
    side_data = frame.side_data.get(Type.DISPLAYMATRIX)
    if side_data is None:
        return Orientation()
    a, b, _, c, d, *_ = np.frombuffer(bytes(side_data), np.int32).astype(float)
    # Stored (x, y) is shown at (a x + c y, b x + d y), y down.
    mirrored = bool(a * d - b * c < 0)
    if mirrored:
        a, b = -a, -b
    return Orientation(round(np.degrees(np.arctan2(b, a)) / 90) % 4, mirrored)


def square_size(width: int, height: int, sample_aspect: Fraction | None) -> tuple[int, int]:
    """Return the size with square pixels: the shorter side of a pixel is stretched, so that no detail is lost."""
    if not sample_aspect or not Fraction(1, 4) <= sample_aspect <= 4:
        return width, height
    if sample_aspect > 1:
        return round(width * sample_aspect), height
    return width, round(height / sample_aspect)


def colour_matrix(frame: VideoFrame) -> int:
    """Return the matrix (AVColorSpace) by which the frame's colours are to be read."""
    if frame.colorspace != UNSPECIFIED:
        return frame.colorspace
    large = frame.width >= HIGH_DEFINITION_WIDTH or frame.height >= HIGH_DEFINITION_HEIGHT
    return Colorspace.ITU709 if large else Colorspace.ITU601


def colour_range(frame: VideoFrame) -> int:
    """Return the range of the frame's values: full where the file says so, else limited."""
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    return ColorRange.JPEG if full else ColorRange.MPEG
