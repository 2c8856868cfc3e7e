"""Landmarks of a face whose box is known: no detection, one or a few predictions a frame."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, square_box
from heygem_pipeline.faces.close_up import CloseUp, crop_close_up
from heygem_pipeline.faces.dlib_models import predict_landmarks

JITTER = np.random.default_rng(68).uniform(-1.0, 1.0, (6, 3))
"""Shift in x and y and size of the jittered boxes, in units of SHIFT and RESIZE; fixed, so that runs repeat."""
SHIFT = 0.03
RESIZE = 0.05


def landmarks_at(frame: NDArray[np.uint8], box: NDArray[np.floating], readings: int = 1) -> NDArray[np.float32]:
    """Return the landmarks (68, 2) of the face in ``box`` (left, top, right, bottom) of a BGR or grey frame.

    Args:
        readings: 1..7, over how many copies of the box they are averaged: 1 for speed (under 2 ms), 7 for steadiness.
    """
    known = Box(*(float(side) for side in box))
    return read_close_up(crop_close_up(frame, known), known, readings)


def read_landmarks(
    frames: Iterable[NDArray[np.uint8]], boxes: NDArray[np.floating], readings: int = 2
) -> NDArray[np.float32]:
    """Return landmarks (frames, 68, 2) of BGR or grey frames with known boxes (frames, 4), NaN where the box is NaN.

    Stops at the end of the shorter of the two.
    """
    read = [
        landmarks_at(frame, box, readings) if np.isfinite(box).all() else np.full((68, 2), np.nan, np.float32)
        for frame, box in zip(frames, boxes, strict=False)
    ]
    return np.stack(read) if read else np.empty((0, 68, 2), np.float32)


def read_close_up(close_up: CloseUp, box: Box, readings: int = len(JITTER) + 1) -> NDArray[np.float32]:
    """Return landmarks (68, 2) in frame pixels, averaged over ``box`` (frame pixels) and jittered copies of it."""
    inward = close_up.to_close_up(box)
    x, y = inward.centre
    total = predict_landmarks(close_up.picture, inward)
    for shift_x, shift_y, resize in JITTER[: readings - 1]:
        shifted = x + SHIFT * shift_x * inward.width, y + SHIFT * shift_y * inward.width
        total = total + predict_landmarks(close_up.picture, square_box(*shifted, inward.width * (1 + RESIZE * resize)))
    return close_up.points_to_frame(total / readings).astype(np.float32)
