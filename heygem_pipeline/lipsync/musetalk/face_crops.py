"""What the network sees of each frame: a box with the nose's bridge in the middle, and the landmarks in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.temporal_smoothing import savitzky_golay, window_length
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.lower_face.blending import FaceRegion
from heygem_pipeline.lipsync.lower_face.face_boxes import parted_lips

CROP_VERSION = "1"
"""Changes whenever the same tracks would give other crops: encodings of another version are made anew."""

BRIDGE_POINT = 29
"""The network repaints what lies below it."""

CHIN_SHARE = 0.04
"""How far the box reaches below the chin, against its height. The reference adds 10 pixels, whatever the size; training
added up to 20 to faces of 150 pixels and more, so this is what 10 pixels are of a face 250 pixels high."""

BOX_SMOOTHING_SECONDS = 0.2
"""The reference smooths nothing: its boxes jump by whole pixels, and the lips with them."""

LEAST_SIDE, LEAST_SHARE = 24, 0.5
"""Pixels, and how much of the box lies within the frame: a face with less is left as it is."""


@dataclass(frozen=True)
class FaceCrops:
    """One row a presenter frame; rows of frames without a usable face count for nothing.

    Attributes:
        boxes: int32 (frames, 4), left, top, right, bottom (exclusive); they may leave the frame.
        inside: int32 (frames, 4), the part within it.
        landmarks: float32 (frames, 68, 2), pixels of the frame, smoothed in time.
        usable: bool (frames,), whether there is a face to draw on.
        parted: floats (frames,), 0 = the presenter's own lips touch, 1 = they are apart.
        gap: floats (frames,), how far they are apart; infinite where that is not known.
    """

    boxes: NDArray[np.int32]
    inside: NDArray[np.int32]
    landmarks: NDArray[np.float32]
    usable: NDArray[np.bool_]
    parted: NDArray[np.floating]
    gap: NDArray[np.floating]

    def region(self, frame: int, picture: NDArray[np.uint8]) -> FaceRegion:
        """Cut a frame's face out; what lies beyond the frame's edge is the edge again, so that no face is squeezed."""
        import cv2

        left, top, right, bottom = (int(edge) for edge in self.boxes[frame])
        first, above, last, below = (int(edge) for edge in self.inside[frame])
        pixels = picture[above:below, first:last]
        margins = (above - top, bottom - below, first - left, right - last)
        # A copy in any case, so that the whole picture need not be held.
        cut = np.asarray(cv2.copyMakeBorder(pixels, *margins, cv2.BORDER_REPLICATE), np.uint8)
        return FaceRegion(cut, self.landmarks[frame] - np.array([left, top], np.float32))


def locate_faces(tracks: FaceTracks) -> FaceCrops:
    """Place the boxes of a tracked presenter."""
    window = window_length(BOX_SMOOTHING_SECONDS, tracks.frame_rate)
    steady = savitzky_golay(tracks.landmarks, tracks.present, window, cuts=tracks.cuts)
    smooth = savitzky_golay(face_boxes(tracks.landmarks), tracks.present, window, order=1, cuts=tracks.cuts)
    boxes = np.nan_to_num(np.round(smooth)).clip(-(2**20), 2**20)
    inside = boxes.clip(0, np.tile(tracks.size, 2))
    sides, seen = boxes[:, 2:] - boxes[:, :2], inside[:, 2:] - inside[:, :2]
    shown = seen.prod(axis=1) / np.maximum(sides.prod(axis=1), 1)
    usable = tracks.present & (seen >= LEAST_SIDE).all(axis=1) & (shown >= LEAST_SHARE)
    gap = measure_mouth(tracks).gap if tracks.present.any() else np.full(len(tracks), np.inf)
    return FaceCrops(
        boxes.astype(np.int32),
        inside.astype(np.int32),
        steady.astype(np.float32),
        usable,
        parted_lips(tracks),
        np.where(np.isnan(gap), np.inf, gap),
    )


def face_boxes(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Float64 (frames, 4), left, top, right, bottom, of (frames, 68, 2)."""
    points = landmarks.astype(np.float64)
    left, right = points[:, :, 0].min(axis=1), points[:, :, 0].max(axis=1)
    chin = points[:, :, 1].max(axis=1)
    top = 2 * points[:, BRIDGE_POINT, 1] - chin
    return np.stack([left, top, right, chin + CHIN_SHARE * (chin - top)], axis=1)


def network_face(region: FaceRegion, side: int) -> NDArray[np.uint8]:
    """What the network sees of a region: uint8 (side, side, 3)."""
    import cv2

    # Lanczos, as the network learnt it; to shrink, OpenCV's would leave out pixels.
    shrinks = min(region.pixels.shape[:2]) > side
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(region.pixels, (side, side), interpolation=way), np.uint8)
