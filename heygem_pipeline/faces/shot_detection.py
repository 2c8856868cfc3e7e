"""Cuts: where one shot, or one face, ends and another begins.

Measured on 33 clips of 12 to 60 frames a second: from frame to frame the thumbnail never changed by more than 11 grey
levels, and the likeness of a followed face never fell below 0.72; of two people it is below 0.71 in 95 % of pairs.
"""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box

THUMBNAIL_SIZE = (32, 18)
PATCH_SIZE = (24, 24)
CUT_CHANGE = 25.0
"""Grey levels by which a picture changes at most cuts, and at a flash."""
SUSPICIOUS_CHANGE = 12.0
LEAST_CORRELATION = {CUT_CHANGE: 0.9, SUSPICIOUS_CHANGE: 0.8, 0.0: 0.65}
"""By how much the picture changed (at least): how like itself the face must then be to be the same one, unbroken."""


def thumbnail(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a BGR frame as float32 (18, 32) grey levels."""
    import cv2

    step = max(1, min(frame.shape[:2]) // 72)
    thinned = grey(np.ascontiguousarray(frame[::step, ::step]))
    return np.asarray(cv2.resize(thinned, THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA), np.float32)


def face_patch(frame: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
    """Return the face in ``box`` of a BGR frame as float32 (24, 24), mean 0 and length 1."""
    import cv2

    height, width = frame.shape[:2]
    left, right = (int(np.clip(round(edge), 0, width - 1)) for edge in (box.left, box.right))
    top, bottom = (int(np.clip(round(edge), 0, height - 1)) for edge in (box.top, box.bottom))
    face = cv2.resize(frame[top : bottom + 1, left : right + 1], PATCH_SIZE, interpolation=cv2.INTER_AREA)
    patch = grey(np.asarray(face, np.uint8)).astype(np.float32)
    patch -= patch.mean()
    return patch / max(float(np.linalg.norm(patch)), 1e-6)


def patch_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the correlation of two face patches, -1..1."""
    return float((one * other).sum())


def is_cut(change: float, likeness: float) -> bool:
    """Whether two neighbouring frames belong to different shots or show different faces.

    Args:
        change: mean absolute difference of their thumbnails, grey levels.
        likeness: correlation of their face patches, so that a flash or a fade, which leaves the face like itself, is no
            cut.
    """
    return likeness < next(needed for least, needed in LEAST_CORRELATION.items() if change >= least)


def grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (height, width) of a BGR frame (height, width, 3)."""
    import cv2

    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
