"""Yaw, pitch and roll of the head, from where a standard 3-D face's points are seen."""

import numpy as np
from numpy.typing import NDArray

POSE_POINTS = [17, 21, 22, 26, 36, 39, 42, 45, 31, 35, 48, 54, 57, 8]
STANDARD_FACE = np.array(
    [
        [-6.825897, -6.760612, -4.402142],
        [-1.330353, -7.122144, -6.903745],
        [1.330353, -7.122144, -6.903745],
        [6.825897, -6.760612, -4.402142],
        [-5.311432, -5.485328, -3.987654],
        [-1.789930, -5.393625, -4.413414],
        [1.789930, -5.393625, -4.413414],
        [5.311432, -5.485328, -3.987654],
        [-2.005628, -1.409845, -6.165652],
        [2.005628, -1.409845, -6.165652],
        [-2.774015, 2.080775, -5.048531],
        [2.774015, 2.080775, -5.048531],
        [0.0, 3.116408, -6.097667],
        [0.0, 7.415691, -4.070434],
    ]
)
"""Mean shape of OpenFace's point distribution model at POSE_POINTS, cm; x to the viewer's right, y down, z away."""


def head_pose(
    landmarks: NDArray[np.floating], present: NDArray[np.bool_], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return yaw, pitch and roll in degrees, float32 (frames, 3), NaN where absent.

    yaw > 0 turns to the viewer's right, pitch > 0 looks up, roll > 0 leans clockwise as seen. ``size`` is the frame's
    (width, height); the focal length is taken as its longer side.
    """
    import cv2

    focal = float(max(size))
    camera = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    pose = np.full((len(landmarks), 3), np.nan, np.float32)
    for frame in np.flatnonzero(present):
        seen = landmarks[frame, POSE_POINTS].astype(np.float64)
        solved, rotation, _ = cv2.solvePnP(STANDARD_FACE, seen, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        if solved:
            pose[frame] = _angles(np.asarray(cv2.Rodrigues(rotation)[0], np.float64))
    return pose


def _angles(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Split into roll about the line of sight, then pitch, then yaw."""
    forward = -rotation[:, 2]
    yaw = np.degrees(np.arctan2(forward[0], -forward[2]))
    pitch = np.degrees(np.arcsin(np.clip(-forward[1], -1, 1)))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(yaw), float(pitch), float(roll)
