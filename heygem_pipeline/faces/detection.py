"""Looking for faces in whole frames, at the scale that finds what is looked for and no finer."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.faces.close_up import grey
from heygem_pipeline.faces.dlib_models import DETECTOR_WINDOW, detect_faces

SMALLEST_FACE = 64
"""Pixels. A narrower face is too small to be given a mouth."""
LARGE_FACES_SIDE = 640
"""Pixels of the longer side in which a quick look is taken: about 15 ms, faces from an eighth of it."""
DETECTION_THRESHOLD = 0.0
"""The detector's usual threshold."""


def detect_large_faces(frame: NDArray[np.uint8]) -> list[tuple[Box, float]]:
    """Return (box, score) of the large faces of a BGR frame."""
    return detect_at_scale(frame, LARGE_FACES_SIDE / max(frame.shape[:2]))


def detect_all_faces(frame: NDArray[np.uint8]) -> list[tuple[Box, float]]:
    """Return (box, score) of all faces of SMALLEST_FACE pixels or more: 0.1 s at 720p, 0.3 s at 1080p."""
    return detect_at_scale(frame, DETECTOR_WINDOW / SMALLEST_FACE)


def detect_at_scale(
    frame: NDArray[np.uint8], scale: float, threshold: float = DETECTION_THRESHOLD
) -> list[tuple[Box, float]]:
    """Return (box, score) found in a copy scaled by ``scale`` (at most what SMALLEST_FACE asks), in frame pixels."""
    import cv2

    scale = min(scale, DETECTOR_WINDOW / SMALLEST_FACE)
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    scaled = cv2.resize(grey(frame), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return [(box.scaled(1 / scale), score) for box, score in detect_faces(np.asarray(scaled, np.uint8), threshold)]


def detect_near(frame: NDArray[np.uint8], box: Box) -> list[tuple[Box, float]]:
    """Return (box, score) of faces about as large as ``box`` within two of its widths around its centre."""
    x, y = box.centre
    reach = 2 * box.width
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    part = frame[top : max(0, round(y + reach)), left : max(0, round(x + reach))]
    if min(part.shape[:2]) < 2:
        return []
    found = detect_at_scale(part, 1.5 * DETECTOR_WINDOW / box.width)
    return [(face.scaled(1.0, left, top), score) for face, score in found]
