"""The head frame: coordinates that move with the skull, so that what is left of a landmark's motion is expression.

Its origin lies midway between the eye centres, x to the viewer's right, y down, 1.0 = the distance between the eye
centres (IOD).
"""

import numpy as np
from numpy.typing import NDArray

STEADY_POINTS = {36: 1.0, 39: 1.0, 42: 1.0, 45: 1.0, 27: 1.0, 28: 1.0, 29: 1.0, 30: 1.0, 31: 0.5, 33: 0.5, 35: 0.5}
"""Points the mouth does not move (eye corners, bridge, base of the nose) and their weights."""


def eye_centres(landmarks: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the centres (..., 2) of the eyes on the viewer's left and right of landmarks (..., 68, 2)."""
    return landmarks[..., 36:42, :].mean(axis=-2), landmarks[..., 42:48, :].mean(axis=-2)


def transform(matrices: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Map points (frames, n, 2) by matrices (frames, 2, 3)."""
    return np.einsum("fij,fnj->fni", matrices[:, :, :2], points) + matrices[:, None, :, 2]


def fit_head_frame(
    landmarks: NDArray[np.floating], present: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the raw head matrices (frames, 2, 3) and the clip's median shape (68, 2) in the head frame.

    landmarks: (frames, 68, 2) pixels; absent rows are ignored and get NaN matrices. At least one frame must be present.
    """
    seen = landmarks[present].astype(np.float64)
    matrices = _by_the_eyes(seen)
    reference = np.median(transform(matrices, seen), axis=0)
    for _ in range(2):
        matrices = _by_steady_points(seen, reference)
        reference = _upright(np.median(transform(matrices, seen), axis=0))
    raw = np.full((len(landmarks), 2, 3), np.nan)
    raw[present] = _by_steady_points(seen, reference)
    return raw, reference.astype(np.float32)


def _by_the_eyes(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    left, right = eye_centres(landmarks)
    scale = 1.0 / _complex(right - left)
    return _matrices(scale, -scale * _complex((left + right) / 2))


def _by_steady_points(landmarks: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted least-squares similarity of each frame onto the reference."""
    points = list(STEADY_POINTS)
    weights = np.array([STEADY_POINTS[point] for point in points])
    weights /= weights.sum()
    source, target = _complex(landmarks[:, points]), _complex(reference[points])
    source_centre, target_centre = source @ weights, target @ weights
    source = source - source_centre[:, None]
    target = target - target_centre
    scale = (np.conj(source) * target) @ weights / (np.abs(source) ** 2 @ weights)
    return _matrices(scale, target_centre - scale * source_centre)


def _upright(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring a shape's eye centres to exactly (-0.5, 0) and (0.5, 0)."""
    return transform(_by_the_eyes(shape[None]), shape[None])[0]


def _complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return points[..., 0] + 1j * points[..., 1]


def _matrices(scale: NDArray[np.complex128], shift: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return z -> scale z + shift of the complex plane as real matrices (frames, 2, 3)."""
    rows = [[scale.real, -scale.imag, shift.real], [scale.imag, scale.real, shift.imag]]
    return np.moveaxis(np.array(rows), 2, 0)
