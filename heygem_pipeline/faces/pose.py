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


CAMERA_DISTANCE = 3.0
"""Focal length in widths of the face's box: a camera about half a metre away. Measured best of 3 and 8 on 19 clips."""
LEVEL_PITCH = -4.0
"""Degrees the fit reads on people who look straight ahead: median of 17 clips."""


def head_pose(
    landmarks: NDArray[np.floating], boxes: NDArray[np.floating], present: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return yaw, pitch and roll in degrees, (frames, 3), NaN where absent, from landmarks (frames, 68, 2) and boxes.

    yaw > 0 turns to the viewer's right, pitch > 0 looks up, roll > 0 leans clockwise as seen. The face is taken to lie
    on the line of sight, so that a face at the side of the picture that looks straight ahead reads 0.
    """
    import cv2

    pose = np.full((len(landmarks), 3), np.nan)
    for frame in np.flatnonzero(present):
        seen = landmarks[frame].astype(np.float64)
        focal = CAMERA_DISTANCE * float(boxes[frame, 2] - boxes[frame, 0])
        x, y = seen.mean(axis=0)
        camera = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
        solved, rotation, _ = cv2.solvePnP(STANDARD_FACE, seen[POSE_POINTS], camera, None, flags=cv2.SOLVEPNP_SQPNP)
        if solved:
            pose[frame] = _angles(np.asarray(cv2.Rodrigues(rotation)[0], np.float64))
    return pose


def _angles(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return where the face's forward axis points (yaw, pitch) and how far the face leans (roll)."""
    forward = -rotation[:, 2]
    yaw = np.degrees(np.arctan2(forward[0], -forward[2]))
    pitch = np.degrees(np.arcsin(np.clip(-forward[1], -1, 1)))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(yaw), float(pitch) - LEVEL_PITCH, float(roll)
