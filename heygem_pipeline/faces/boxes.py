"""Face boxes: overlap, choice of the face to follow, and the box a set of landmarks belongs to."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BOX_WIDTHS_PER_SPREAD = 2.77
BOX_RISE = 0.048
"""Measured: medians over 26 clips of how the detections of a frontal face detector (histograms of gradients) lie around
the landmarks."""


class Box(NamedTuple):
    """A face's square in pixels; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """The middle (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def scaled(self, factor: float, left: float = 0.0, top: float = 0.0) -> "Box":
        """Return the box in a picture scaled by ``factor`` and then shifted by (left, top)."""
        return Box(
            self.left * factor + left, self.top * factor + top, self.right * factor + left, self.bottom * factor + top
        )


class FacePlace(NamedTuple):
    """Where somebody pointed at a face: shares of the picture's width and height, 0 to 1."""

    x: float
    y: float

    def __str__(self) -> str:
        """As versions say it."""
        return f"at {self.x:g},{self.y:g}"

    def distance(self, box: Box, frame: NDArray[np.uint8]) -> float:
        """Pixels from a face's middle."""
        height, width = frame.shape[:2]
        x, y = box.centre
        return float(np.hypot(x - self.x * width, y - self.y * height))


def intersection_over_union(a: Box, b: Box) -> float:
    """Return intersection over union, 0..1."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a.width * a.height + b.width * b.height - shared)


def square_box(centre_x: float, centre_y: float, width: float) -> Box:
    """Return the square of that width around a centre."""
    half = width / 2
    return Box(centre_x - half, centre_y - half, centre_x + half, centre_y + half)


def share_inside(box: Box, frame: NDArray[np.uint8]) -> float:
    """Return the share of the box's area that lies inside a frame (height, width, ...), 0..1."""
    width = min(box.right, frame.shape[1]) - max(box.left, 0)
    height = min(box.bottom, frame.shape[0]) - max(box.top, 0)
    return max(width, 0) * max(height, 0) / (box.width * box.height)


def prominence(box: Box, frame: NDArray[np.uint8]) -> float:
    """Return how large and central a face is in a frame (height, width, ...), pixels.

    A face in a corner counts as much as one in the middle that is half as wide.
    """
    x, y = box.centre
    off_centre = np.hypot(x / frame.shape[1] - 0.5, y / frame.shape[0] - 0.5) / np.hypot(0.5, 0.5)
    return float(box.width * (1.0 - 0.5 * off_centre))


def most_prominent(boxes: list[Box], frame: NDArray[np.uint8]) -> Box:
    """Return the box of the largest, most central face of a frame (height, width, ...)."""
    return max(boxes, key=lambda box: prominence(box, frame))


def box_around(landmarks: NDArray[np.floating]) -> Box:
    """Return the box that belongs to 68 landmarks (68, 2), as face detectors cut it.

    The width goes with the landmarks' root-mean-square distance from their mean, so that no single point moves it.
    """
    centre = landmarks.mean(axis=0)
    spread = float(np.sqrt(((landmarks - centre) ** 2).sum(axis=1).mean()))
    width = BOX_WIDTHS_PER_SPREAD * spread
    return square_box(float(centre[0]), float(centre[1]) - BOX_RISE * width, width)
