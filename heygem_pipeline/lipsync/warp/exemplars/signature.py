"""A mouth's shape as numbers whose squared distance tells how alike two mouths look."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours

OUTER = [0, 3, 6, 7, 8, 11, 14]
INNER = [0, 5, 8, 11, 16]
"""Samples of the lines that stand for the 20 points of the iBUG mouth."""

POINTS = 20
WIDTH_WEIGHT = 1.0


def signature(contours: MouthContours) -> NDArray[np.float64]:
    """Return 20 points about their own middle and the width, (41,), IOD."""
    points = np.concatenate(
        [
            contours.upper_outer[OUTER],
            contours.lower_outer[OUTER[1:-1]],
            contours.upper_inner[INNER],
            contours.lower_inner[INNER[1:-1]],
        ]
    )
    return np.r_[(points - points.mean(axis=0)).ravel(), WIDTH_WEIGHT * contours.width]
