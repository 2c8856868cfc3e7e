"""Which part of every frame of a presenter is looked at and drawn on: nothing else need be converted."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.deformation import thin_plate_spline

AROUND_MOUTH = 0.8
"""IOD around the landmarks of the mouth: what of a mouth turned far aside lies beyond the field of the deformation."""

AROUND_PIXELS = 4
"""Pixels beside a place that its interpolated colour is made of, and one for rounding."""


def drawing_areas(tracks: FaceTracks, landmarks: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return left, top, right, bottom (exclusive) for every frame, (frames, 4), empty without a face.

    Args:
        landmarks: (frames, 68, 2), head frame.
    """
    areas = np.zeros((len(tracks), 4), np.int64)
    field = np.array(
        [[thin_plate_spline.LEFT, thin_plate_spline.TOP_OF_MOTION], [thin_plate_spline.RIGHT, thin_plate_spline.BOTTOM]]
    )
    for frame in np.flatnonzero(tracks.present):
        mouth = landmarks[frame, 48:]
        low = np.minimum(field[0], mouth.min(axis=0) - AROUND_MOUTH)
        high = np.maximum(field[1], mouth.max(axis=0) + AROUND_MOUTH)
        left, top, right, bottom = tracks.head_frame(int(frame)).pixel_box(low, high, tracks.size)
        areas[frame] = left - AROUND_PIXELS, top - AROUND_PIXELS, right + AROUND_PIXELS, bottom + AROUND_PIXELS
    return np.clip(areas, 0, np.tile(tracks.size, 2))
