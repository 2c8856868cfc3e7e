"""A made face of 68 points, and tracks made of such faces."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import box_around
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import FaceTracks


def made_face(gap: float = 0.0) -> NDArray[np.float64]:
    """A symmetric face (68, 2) in eye distances around the point between the eyes; ``gap``: opening of the lips."""
    face = np.zeros((68, 2))
    angle = np.linspace(np.pi, 0, 17)
    face[0:17] = np.c_[1.05 * np.cos(angle), 0.1 + 1.6 * np.sin(angle)]
    face[17:27] = np.c_[np.linspace(-0.8, 0.8, 10), np.full(10, -0.35)]
    face[27:31] = np.c_[np.zeros(4), np.linspace(0.05, 0.6, 4)]
    face[31:36] = np.c_[np.linspace(-0.2, 0.2, 5), np.full(5, 0.7)]
    eye = np.c_[0.18 * np.array([-1, -0.4, 0.4, 1, 0.4, -0.4]), 0.06 * np.array([0, -1, -1, 0, 1, 1])]
    half = np.array([0.5, 0.0])
    face[36:42], face[42:48] = eye - half, eye + half
    x = np.linspace(-0.4, 0.4, 7)
    bow = 0.12 * np.cos(x / 0.4 * np.pi / 2)
    face[48:55] = np.c_[x, 1.1 - bow]
    face[55:60] = np.c_[x[5:0:-1], 1.1 + bow[5:0:-1] + gap]
    inner = np.linspace(-0.35, 0.35, 5)
    face[60:65] = np.c_[inner, np.full(5, 1.1)]
    face[65:68] = np.c_[inner[3:0:-1], np.full(3, 1.1 + gap)]
    return face


def made_tracks(faces: NDArray[np.floating], size: tuple[int, int] = (1280, 720), rate: int = 25) -> FaceTracks:
    """Tracks of landmarks (frames, 68, 2) in pixels; rows of NaN are frames without a face."""
    seen = np.isfinite(faces[:, 0, 0])
    boxes = np.array([box_around(face) if here else [np.nan] * 4 for face, here in zip(faces, seen, strict=True)])
    followed = FollowedFace(
        boxes=boxes.astype(np.float32),
        landmarks=faces.astype(np.float32),
        score=np.where(seen, 1, np.nan).astype(np.float32),
        cuts=(),
        other_faces=0,
    )
    return complete_tracks(followed, Fraction(rate), size)
