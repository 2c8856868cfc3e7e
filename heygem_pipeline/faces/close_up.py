"""A grey close-up of one face at a fixed size: what the detector confirms and the predictor reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, square_box

FACE_WIDTH = 300
"""Width of the face box in a close-up, pixels. dlib answers in whole pixels, so a small face is enlarged too."""
CLOSE_UP_WIDTHS = 2.0
"""Width of a close-up in widths of the face box: room for the face to move within a frame's time."""
CLOSE_UP_SIDE = round(FACE_WIDTH * CLOSE_UP_WIDTHS)
LARGEST_ROLL = 20.0
ROTATION_STEP = 30.0
"""Degrees. dlib's predictor slips off faces that lean 35 degrees, and finds its way back only at 20 (measured)."""
REDUCED_SIDE = 216
"""Side of the copy given to the detector: the face is 108 pixels wide in it, a third above the detector's window."""


@dataclass(frozen=True)
class CloseUp:
    """A square cut of a frame, resampled to CLOSE_UP_SIDE x CLOSE_UP_SIDE.

    Attributes:
        picture: uint8 (CLOSE_UP_SIDE, CLOSE_UP_SIDE) grey; black outside the frame.
        left: where the cut begins in the frame, pixels.
        top: where the cut begins in the frame, pixels.
        scale: close-up pixels a frame pixel.
        rotation: degrees by which the picture was then turned counter-clockwise, to set a leaning face upright.
    """

    picture: NDArray[np.uint8]
    left: int
    top: int
    scale: float
    rotation: float = 0.0

    def to_close_up(self, box: Box) -> Box:
        """Frame to close-up; the box stays upright and turns about with its centre."""
        x, y = self._rotated((np.array(box.centre) - (self.left, self.top)) * self.scale, -self.rotation)
        return square_box(float(x), float(y), box.width * self.scale)

    def to_frame(self, box: Box) -> Box:
        """Close-up to frame."""
        x, y = self._rotated(np.array(box.centre), self.rotation) / self.scale + (self.left, self.top)
        return square_box(float(x), float(y), box.width / self.scale)

    def points_to_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Close-up pixels to frame pixels; pixel centres lie at whole numbers in both."""
        return self._rotated(points + 0.5, self.rotation) / self.scale - 0.5 + (self.left, self.top)

    def _rotated(self, points: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
        """Turn points (..., 2) clockwise about the picture's centre."""
        if degrees == 0:
            return points
        sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        return (points - CLOSE_UP_SIDE / 2) @ np.array([[cosine, sine], [-sine, cosine]]) + CLOSE_UP_SIDE / 2

    def reduced(self) -> NDArray[np.uint8]:
        """Return the copy for the detector, uint8 (REDUCED_SIDE, REDUCED_SIDE)."""
        import cv2

        return np.asarray(
            cv2.resize(self.picture, (REDUCED_SIDE, REDUCED_SIDE), interpolation=cv2.INTER_AREA), np.uint8
        )

    def enlarged(self, box: Box) -> Box:
        """Box in the reduced copy to box in the close-up."""
        return box.scaled(CLOSE_UP_SIDE / REDUCED_SIDE)


def crop_close_up(frame: NDArray[np.uint8], box: Box, roll: float = 0.0) -> CloseUp:
    """Cut the surroundings of ``box`` out of a BGR or grey frame; what lies outside the frame is black.

    Args:
        roll: degrees by which the face leans clockwise. From 20 degrees on it is set upright, in steps of 30, so that
            heads held as usual are never resampled twice.
    """
    import cv2

    side = max(2, round(box.width * CLOSE_UP_WIDTHS))
    x, y = box.centre
    left, top = round(x - side / 2), round(y - side / 2)
    height, width = frame.shape[:2]
    inside = frame[max(0, top) : max(0, min(height, top + side)), max(0, left) : max(0, min(width, left + side))]
    cut = np.zeros((side, side), np.uint8)
    if inside.size:
        row, column = max(0, -top), max(0, -left)
        cut[row : row + inside.shape[0], column : column + inside.shape[1]] = grey(inside)
    interpolation = cv2.INTER_AREA if side > CLOSE_UP_SIDE else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(cut, (CLOSE_UP_SIDE, CLOSE_UP_SIDE), interpolation=interpolation), np.uint8)
    turn = ROTATION_STEP * round(roll / ROTATION_STEP) if abs(roll) > LARGEST_ROLL else 0.0
    if turn:
        middle = (CLOSE_UP_SIDE - 1) / 2
        upright = cv2.getRotationMatrix2D((middle, middle), turn, 1.0)
        picture = np.asarray(cv2.warpAffine(picture, upright, (CLOSE_UP_SIDE, CLOSE_UP_SIDE)), np.uint8)
    return CloseUp(picture, left, top, CLOSE_UP_SIDE / side, turn)


def grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (height, width) of a BGR frame (height, width, 3); a grey one comes back as it is."""
    import cv2

    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
