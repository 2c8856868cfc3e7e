"""The head frame: coordinates that move with the skull, so that what is left of a landmark's motion is expression.

Its origin lies midway between the eye centres, x to the viewer's right, y down, 1.0 = the distance between the eye
centres (IOD).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

RIGID_POINTS = {36: 1.0, 39: 1.0, 42: 1.0, 45: 1.0, 27: 1.0, 28: 1.0, 29: 1.0, 30: 1.0, 31: 0.5, 33: 0.5, 35: 0.5}
"""Points the mouth does not move (eye corners, bridge, base of the nose) and their weights."""

FloatT = TypeVar("FloatT", bound=np.floating)


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """The head frame of one picture: a similarity between its pixels, whose centres are whole numbers, and the head.

    Attributes:
        matrix: float64 (2, 3), from pixels to the head frame.
    """

    matrix: NDArray[np.float64]

    @property
    def linear(self) -> NDArray[np.float64]:
        """Rotation and scale without the shift, float64 (2, 2)."""
        return self.matrix[:, :2]

    @property
    def origin(self) -> NDArray[np.float64]:
        """Place of the picture's first pixel in the head frame, float64 (2,)."""
        return self.matrix[:, 2]

    @cached_property
    def inverse(self) -> NDArray[np.float64]:
        """Inverse of ``linear``: pixels for an IOD along either axis of the head frame, float64 (2, 2)."""
        return np.asarray(np.linalg.inv(self.linear), np.float64)

    @cached_property
    def scale(self) -> float:
        """Side of a pixel, IOD."""
        return float(np.sqrt(abs(np.linalg.det(self.linear))))

    def to_pixels(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pixels (..., 2) of points (..., 2) of the head frame."""
        return (points - self.origin) @ self.inverse.T

    def to_pixel_maps(
        self, x: NDArray[np.floating], y: NDArray[np.floating]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Columns and rows of places whose x and y are given apart and broadcast, as ``cv2.remap`` takes them."""
        right, down = x - self.origin[0], y - self.origin[1]
        back = self.inverse
        column = (back[0, 0] * right + back[0, 1] * down).astype(np.float32)
        return column, (back[1, 0] * right + back[1, 1] * down).astype(np.float32)

    def from_pixels(self, pixels: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) of the head frame at pixels (..., 2)."""
        return pixels @ self.linear.T + self.origin

    def from_pixel_maps(self, column: NDArray[FloatT], row: NDArray[FloatT]) -> tuple[NDArray[FloatT], NDArray[FloatT]]:
        """X and y at pixels whose column and row are given apart and broadcast, in their precision."""
        to_head = self.matrix.astype(column.dtype)
        x = to_head[0, 0] * column + to_head[0, 1] * row + to_head[0, 2]
        return x, to_head[1, 0] * column + to_head[1, 1] * row + to_head[1, 2]

    def cropped(self, left: int, top: int) -> "HeadFrame":
        """The head frame of a crop of the picture that begins at that pixel."""
        corner = self.linear @ np.array([left, top], np.float64) + self.origin
        return HeadFrame(np.column_stack([self.linear, corner]))

    def to_grid(self, corner: NDArray[np.floating], cell: NDArray[np.floating]) -> NDArray[np.float64]:
        """Affine matrix (2, 3) from pixels to the nodes of a grid over the head frame, as ``cv2.warpAffine`` takes it.

        Args:
            corner: (2,), place of the grid's first node, IOD.
            cell: (2,), distance of its columns and of its rows, IOD.
        """
        return np.column_stack([self.linear, self.origin - corner]) / cell[:, None]

    def pixel_box(
        self, low: NDArray[np.floating], high: NDArray[np.floating], size: tuple[int, int]
    ) -> tuple[int, int, int, int]:
        """Left, top, right, bottom (exclusive) of the pixels that cover a box of the head frame; may be empty.

        Args:
            low: (2,), the box's least x and y, IOD.
            high: (2,), its greatest.
            size: width and height of the picture, beyond which no pixel is counted.
        """
        corners = np.array([[low[0], low[1]], [high[0], low[1]], [low[0], high[1]], [high[0], high[1]]])
        places = self.to_pixels(corners)
        left, top = np.clip(np.floor(places.min(axis=0)), 0, size).astype(int)
        right, bottom = np.clip(np.ceil(places.max(axis=0)) + 1, 0, size).astype(int)
        return int(left), int(top), int(right), int(bottom)


def pixel_areas(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of a pixel of each picture (frames,), square IOD, from matrices (frames, 2, 3)."""
    return np.abs(np.linalg.det(matrices[:, :, :2]))


def eye_centres(landmarks: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the centres (..., 2) of the eyes on the viewer's left and right of landmarks (..., 68, 2)."""
    return landmarks[..., 36:42, :].mean(axis=-2), landmarks[..., 42:48, :].mean(axis=-2)


def transform_points(matrices: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Map points (frames, n, 2) by matrices (frames, 2, 3)."""
    return np.einsum("fij,fnj->fni", matrices[:, :, :2], points) + matrices[:, None, :, 2]


def fit_head_frame(
    landmarks: NDArray[np.floating], present: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the raw head matrices (frames, 2, 3) and the clip's median shape (68, 2) in the head frame.

    Args:
        landmarks: (frames, 68, 2) pixels; absent rows are ignored and get NaN matrices.
        present: bool (frames,), at least one frame.
    """
    seen = landmarks[present].astype(np.float64)
    matrices = _fit_eyes(seen)
    reference = np.median(transform_points(matrices, seen), axis=0)
    for _ in range(2):
        matrices = _fit_rigid_points(seen, reference)
        reference = _upright(np.median(transform_points(matrices, seen), axis=0))
    raw = np.full((len(landmarks), 2, 3), np.nan)
    raw[present] = _fit_rigid_points(seen, reference)
    return raw, reference.astype(np.float32)


def _fit_eyes(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    left, right = eye_centres(landmarks)
    scale = 1.0 / _complex(right - left)
    return _matrices(scale, -scale * _complex((left + right) / 2))


def _fit_rigid_points(landmarks: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted least-squares similarity of each frame onto the reference."""
    points = list(RIGID_POINTS)
    weights = np.array([RIGID_POINTS[point] for point in points])
    weights /= weights.sum()
    source, target = _complex(landmarks[:, points]), _complex(reference[points])
    source_centre, target_centre = source @ weights, target @ weights
    source = source - source_centre[:, None]
    target = target - target_centre
    scale = (np.conj(source) * target) @ weights / (np.abs(source) ** 2 @ weights)
    return _matrices(scale, target_centre - scale * source_centre)


def _upright(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring a shape's eye centres to exactly (-0.5, 0) and (0.5, 0)."""
    return transform_points(_fit_eyes(shape[None]), shape[None])[0]


def _complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return points[..., 0] + 1j * points[..., 1]


def _matrices(scale: NDArray[np.complex128], shift: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return z -> scale z + shift of the complex plane as real matrices (frames, 2, 3)."""
    rows = [[scale.real, -scale.imag, shift.real], [scale.imag, scale.real, shift.imag]]
    return np.moveaxis(np.array(rows), 2, 0)
