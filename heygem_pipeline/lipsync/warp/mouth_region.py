"""A rectangle of a frame's pixels, and where each lies in the head frame and against the lips."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.contours import MouthContours

REGION_REACH = 0.12
"""IOD above and below the lips' line within which pixels may belong to either lip, or to the opening."""


@dataclass(frozen=True)
class MouthRegion:
    """Pixels (rows, columns) of a crop.

    Attributes:
        crop: uint8 (rows, columns, 3), the presenter's pixels of the whole patch.
        x: float32 (rows, columns), place in the head frame.
        y: float32 (rows, columns), the same.
        upper: float32 (rows, columns), height there of the target's upper inner lip line.
        lower: float32 (rows, columns), height of its lower one.
        column: float32 (1, columns), place in the patch, pixels.
        row: float32 (rows, 1), the same.
        down: float64 (2,), unit vector of the head frame's y axis, pixels.
        pixel_size: size of a pixel, IOD.
    """

    crop: NDArray[np.uint8]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    column: NDArray[np.float32]
    row: NDArray[np.float32]
    down: NDArray[np.float64]
    pixel_size: float

    @property
    def middle(self) -> NDArray[np.float32]:
        """Height of the line between the lips."""
        return np.float32(0.5) * (self.upper + self.lower)

    def cropped(self, rows: slice, columns: slice) -> "MouthRegion":
        """Return the same for a part of the pixels; ``crop`` and the places in it stay those of the whole patch."""
        box = (rows, columns)
        return MouthRegion(
            crop=self.crop,
            x=self.x[box],
            y=self.y[box],
            upper=self.upper[box],
            lower=self.lower[box],
            column=self.column[:, columns],
            row=self.row[rows],
            down=self.down,
            pixel_size=self.pixel_size,
        )


def locate_mouth_region(crop: NDArray[np.uint8], head: HeadFrame, target: MouthContours) -> tuple[slice, MouthRegion]:
    """Place the pixels around the lips' line.

    Args:
        head: of the crop.

    Returns:
        Which rows of the crop they are, and the view of them.
    """
    column = np.arange(crop.shape[1], dtype=np.float32)[None]
    row = np.arange(crop.shape[0], dtype=np.float32)[:, None]
    _, ends = head.from_pixel_maps(column[:, [0, -1]], row)
    lines = np.concatenate([target.upper_inner[:, 1], target.lower_inner[:, 1], target.upper_outer[[0, -1], 1]])
    near = (ends.max(axis=1) > lines.min() - REGION_REACH) & (ends.min(axis=1) < lines.max() + REGION_REACH)
    found = np.flatnonzero(near)
    rows = slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
    row = row[rows]
    x, y = head.from_pixel_maps(column, row)
    down = head.inverse @ np.array([0.0, 1.0])
    corners = target.upper_outer[[0, -1]]
    return rows, MouthRegion(
        crop=crop,
        x=x,
        y=y,
        upper=height_of(target.upper_inner, corners, x),
        lower=height_of(target.lower_inner, corners, x),
        column=column,
        row=row,
        down=down / np.linalg.norm(down),
        pixel_size=head.scale,
    )


def height_of(inner: NDArray[np.float64], ends: NDArray[np.float64], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Height of an inner lip line at every x; ``ends`` (2, 2) replace its first and last point and hold beyond them."""
    line = np.concatenate([ends[:1], inner[1:-1], ends[1:]])
    return np.interp(x, line[:, 0], line[:, 1]).astype(np.float32)
