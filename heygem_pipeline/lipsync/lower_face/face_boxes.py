"""Where in each presenter frame the network looks: box and landmarks; and whether the lips touch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.temporal_smoothing import savitzky_golay, window_length
from heygem_pipeline.faces.tracks import FaceTracks

TOUCHING_MEASURED_GAP, PARTED_MEASURED_GAP = 0.045, 0.085
"""IOD between the inner lips' landmarks up to which lips touch, and from which they are parted: as for ``warp``."""

FOREHEAD_SHARE = 0.45
"""How far the box reaches above the brows, against brows to chin. The boxes of S3FD, on which the weights were trained,
hold forehead, chin and cheeks (WIDER FACE's rule for its annotators); a forehead is half as high as what lies below."""

CHIN_SHARE = 0.04
"""How far it reaches below the chin, against its height: the reference adds 10 pixels, 0.04 of a 250-pixel face."""

BOX_SMOOTHING_SECONDS = 0.2
"""5 frames at 25 a second, centred; the reference takes the mean of this frame and the next 4."""

LEAST_SIDE = 24
"""Pixels: a face that fills less of the frame is left as it is."""


@dataclass(frozen=True)
class FaceBoxes:
    """What is looked at in every presenter frame; rows of frames without a usable face count for nothing.

    Attributes:
        boxes: int32 (frames, 4), left, top, right, bottom (exclusive) within the frame.
        landmarks: float32 (frames, 68, 2), pixels of the frame, smoothed in time.
        usable: bool (frames,), whether there is a face of some size.
        parted: floats (frames,), 0 = the presenter's own lips touch, 1 = they are apart.
    """

    boxes: NDArray[np.int32]
    landmarks: NDArray[np.float32]
    usable: NDArray[np.bool_]
    parted: NDArray[np.floating]


def locate_faces(tracks: FaceTracks) -> FaceBoxes:
    """Place the boxes of a tracked presenter."""
    window = window_length(BOX_SMOOTHING_SECONDS, tracks.frame_rate)
    steady = savitzky_golay(tracks.landmarks, tracks.present, window, cuts=tracks.cuts)
    boxes = savitzky_golay(_face_boxes(tracks.landmarks), tracks.present, window, order=1, cuts=tracks.cuts)
    within = np.nan_to_num(np.clip(np.round(boxes), 0, np.tile(tracks.size, 2)))
    usable = tracks.present & ((within[:, 2:] - within[:, :2]) >= LEAST_SIDE).all(axis=1)
    return FaceBoxes(within.astype(np.int32), steady.astype(np.float32), usable, parted_lips(tracks))


def _face_boxes(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Float64 (frames, 4), left, top, right, bottom."""
    points = landmarks.astype(np.float64)
    left, right = points[:, :, 0].min(axis=1), points[:, :, 0].max(axis=1)
    brows, chin = points[:, 17:27, 1].mean(axis=1), points[:, :, 1].max(axis=1)
    top = brows - FOREHEAD_SHARE * (chin - brows)
    return np.stack([left, top, right, chin + CHIN_SHARE * (chin - top)], axis=1)


def parted_lips(tracks: FaceTracks) -> NDArray[np.floating]:
    """Floats (frames,): 0 = the presenter's own lips touch, 1 = they are apart."""
    if not tracks.present.any():
        return np.zeros(len(tracks))
    return smoothstep(TOUCHING_MEASURED_GAP, PARTED_MEASURED_GAP, np.nan_to_num(measure_mouth(tracks).gap))
