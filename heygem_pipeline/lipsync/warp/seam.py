"""The line where closed lips meet, read from the picture.

The 68-point predictor reports an open mouth where lips touch, and its inner contours lie beside the true line. Where the
lips touch there is a dark crease: the darkest smooth path between the corners.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours

REACH = 0.055
"""How far from the predicted line the crease is looked for, IOD."""

ROWS, COLUMNS = 23, 49
_STEP_COST = 0.06
"""Cost of moving one row from one column to the next, in shares of the strip's contrast."""


def darkest_path(luma: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the row (fractional) of the darkest smooth left-to-right path of a (rows, columns) strip."""
    rows, columns = luma.shape
    low, high = np.percentile(luma, (2, 90))
    cost = (luma - low) / max(float(high - low), 1.0)
    # Off-centre rows pay a little, so that a nostril's shadow or a beard does not win over the crease.
    cost = cost + 0.25 * np.linspace(-1, 1, rows)[:, None] ** 2
    total = np.empty((columns, rows))
    back = np.zeros((columns, rows), dtype=np.int64)
    total[0] = cost[:, 0]
    for column in range(1, columns):
        padded = np.pad(total[column - 1], 1, constant_values=np.inf)
        choices = np.stack([padded[:-2] + _STEP_COST, padded[1:-1], padded[2:] + _STEP_COST])
        best = choices.argmin(axis=0)
        back[column] = best - 1
        total[column] = np.take_along_axis(choices, best[None], axis=0)[0] + cost[:, column]
    path = np.empty(columns)
    row = int(total[-1].argmin())
    for column in range(columns - 1, -1, -1):
        path[column] = row
        row = min(max(row + int(back[column, row]), 0), rows - 1)
    return _refine(luma, path)


def _refine(luma: NDArray[np.float32], path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sub-row place of the minimum by a parabola, then a light smoothing along the path."""
    rows, columns = luma.shape
    centre = np.clip(path.astype(int), 1, rows - 2)
    column = np.arange(columns)
    above, here, below = luma[centre - 1, column], luma[centre, column], luma[centre + 1, column]
    curvature = above - 2 * here + below
    shift = np.where(curvature > 1e-3, 0.5 * (above - below) / np.maximum(curvature, 1e-3), 0)
    refined = path + np.clip(shift, -0.5, 0.5)
    padded = np.pad(refined, 2, mode="edge")
    return np.convolve(padded, np.array([1, 4, 6, 4, 1]) / 16, mode="valid")


@dataclass(frozen=True)
class Seam:
    """The crease between the lips of one frame.

    x: float64 (49,), head frame, from corner to corner. predicted: float64 (49,), where the landmarks put the line.
    offsets: float64 (49,), how far below that the crease was found, IOD. colour: float32 (3,), its median BGR.
    """

    x: NDArray[np.float64]
    predicted: NDArray[np.float64]
    offsets: NDArray[np.float64]
    colour: NDArray[np.float32]

    def line(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the line (49, 2) with other (steadied) offsets."""
        return np.stack([self.x, self.predicted + offsets], axis=1)


def find_seam(frame: NDArray[np.uint8], to_head: NDArray[np.float64], contours: MouthContours) -> Seam:
    """Find the crease between the lips.

    frame: uint8 (h, w, 3) BGR. to_head: (2, 3) similarity from its pixels to the head frame. contours: the predicted lips.
    """
    import cv2

    left, right = contours.upper_outer[0], contours.upper_outer[-1]
    x = np.linspace(left[0], right[0], COLUMNS)
    inner = (contours.upper_inner + contours.lower_inner) / 2
    middle = np.interp(x, np.r_[left[0], inner[1:-1, 0], right[0]], np.r_[left[1], inner[1:-1, 1], right[1]])
    rows = np.linspace(-REACH, REACH, ROWS)
    places = np.stack([np.broadcast_to(x, (ROWS, COLUMNS)), middle[None, :] + rows[:, None]], axis=-1)
    pixels = ((places - to_head[:, 2]) @ np.linalg.inv(to_head[:, :2]).T).astype(np.float32)
    strip = cv2.remap(frame, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    path = darkest_path(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY).astype(np.float32))
    colours = strip[np.clip(np.round(path).astype(int), 0, ROWS - 1), np.arange(COLUMNS)]
    return Seam(x, middle, np.interp(path, np.arange(ROWS), rows), np.median(colours[12:37], axis=0).astype(np.float32))
