"""A rectangle of a frame's pixels, and where each lies in the head frame and against the lips."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours

AROUND = 0.12
"""IOD above and below the lips' line within which pixels may belong to either lip, or to the opening."""


@dataclass(frozen=True)
class View:
    """Pixels (rows, columns) of a crop.

    crop: uint8 (rows, columns, 3), the template's pixels of the whole patch.
    x, y: float32 (rows, columns), head-frame place. upper, lower: heights there of the target's inner lip lines.
    column (1, columns), row (rows, 1): float32, place in the patch, pixels.
    down: float64 (2,), unit vector of the head frame's y axis, pixels.
    pixel: size of a pixel, IOD.
    """

    crop: NDArray[np.uint8]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    column: NDArray[np.float32]
    row: NDArray[np.float32]
    down: NDArray[np.float64]
    pixel: float

    @property
    def middle(self) -> NDArray[np.float32]:
        """Height of the line between the lips."""
        return np.float32(0.5) * (self.upper + self.lower)

    def cut(self, rows: slice, columns: slice) -> "View":
        """Return the same for a part of the pixels; ``crop`` and the places in it stay those of the whole patch."""
        box = (rows, columns)
        return View(
            crop=self.crop,
            x=self.x[box],
            y=self.y[box],
            upper=self.upper[box],
            lower=self.lower[box],
            column=self.column[:, columns],
            row=self.row[rows],
            down=self.down,
            pixel=self.pixel,
        )


def look_at(
    crop: NDArray[np.uint8], to_head: NDArray[np.float64], origin: NDArray[np.float64], target: MouthContours
) -> tuple[slice, View]:
    """Place the pixels around the lips' line. Returns which rows of the crop they are, and the view of them.

    origin: (2,), head-frame place of the crop's first pixel.
    """
    matrix, start = to_head[:, :2].astype(np.float32), origin.astype(np.float32)
    column = np.arange(crop.shape[1], dtype=np.float32)[None]
    row = np.arange(crop.shape[0], dtype=np.float32)[:, None]
    ends = matrix[1, 0] * column[:, [0, -1]] + matrix[1, 1] * row + start[1]
    lines = np.concatenate([target.upper_inner[:, 1], target.lower_inner[:, 1], target.upper_outer[[0, -1], 1]])
    near = (ends.max(axis=1) > lines.min() - AROUND) & (ends.min(axis=1) < lines.max() + AROUND)
    found = np.flatnonzero(near)
    rows = slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
    row = row[rows]
    x = matrix[0, 0] * column + matrix[0, 1] * row + start[0]
    y = matrix[1, 0] * column + matrix[1, 1] * row + start[1]
    down = np.linalg.inv(to_head[:, :2]) @ np.array([0.0, 1.0])
    corners = target.upper_outer[[0, -1]]
    return rows, View(
        crop=crop,
        x=x,
        y=y,
        upper=height_of(target.upper_inner, corners, x),
        lower=height_of(target.lower_inner, corners, x),
        column=column,
        row=row,
        down=down / np.linalg.norm(down),
        pixel=float(np.sqrt(abs(np.linalg.det(to_head[:, :2])))),
    )


def patch_bounds(
    frame: NDArray[np.uint8], to_head: NDArray[np.float64], box: tuple[float, float, float, float]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (exclusive) of the frame's pixels that a box of the head frame covers; may be empty."""
    corners = np.array([[x, y] for x in box[::2] for y in box[1::2]])
    places = (corners - to_head[:, 2]) @ np.linalg.inv(to_head[:, :2]).T
    height, width = frame.shape[:2]
    left, top = np.floor(places.min(axis=0))
    right, bottom = np.ceil(places.max(axis=0)) + 1
    return (
        int(np.clip(left, 0, width)),
        int(np.clip(top, 0, height)),
        int(np.clip(right, 0, width)),
        int(np.clip(bottom, 0, height)),
    )


def height_of(inner: NDArray[np.float64], ends: NDArray[np.float64], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Height of an inner lip line at every x; ``ends`` (2, 2) replace its first and last point and hold beyond them."""
    line = np.concatenate([ends[:1], inner[1:-1], ends[1:]])
    return np.interp(x, line[:, 0], line[:, 1]).astype(np.float32)
