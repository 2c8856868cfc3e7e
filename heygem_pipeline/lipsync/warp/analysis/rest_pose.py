"""Where a presenter's mouth would be if it did not move of its own: what speech is articulated from.

A presenter who chews, smiles or speaks must not do so against the new words. Expressions last and stay; what is quicker
goes, as far as it moves the lips at all: a mouth that keeps still is left exactly as it is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.temporal_smoothing import window_length
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.filters import sliding_maximum, sliding_mean

MOUTH = slice(48, 68)
CHIN = slice(7, 10)
NOSE_BASE = slice(31, 36)

REST_SEARCH_SECONDS = 1.5
"""How far around a frame its closed mouth is looked for: what lasts longer is an expression."""

POSE_DIFFERENCE_DEGREES = 6.0
"""Degrees of yaw and pitch within which mouths look alike."""

CLOSED_GAP, OPEN_WEIGHT = 0.03, 0.02
"""IOD of gap beyond the clip's closed mouth by which a frame counts less, and what an open mouth counts still."""

NEUTRAL_WEIGHT = 0.3
"""What the whole clip's closed mouth counts: it decides only where no lips close for seconds."""

STILL_DISTANCE, MOVING_DISTANCE = 0.03, 0.06
"""IOD: a mouth this near its closed shape is still, one this far from it moves. The tracked mouths of presenters who
keep still stay within 0.02 of it."""

LARGEST_RISE, LARGEST_DROP = 0.15, 0.03
"""IOD that the chin is taken to rise or drop to its rest: what goes further is the landmarks' error."""

SETTLING_SECONDS = 0.3
"""Time around a movement in which the mouth is not yet taken for still."""


@dataclass(frozen=True)
class RestOffset:
    """One frame's way from the mouth it has to the mouth it would have at rest.

    Attributes:
        shift: float64 (20, 2), what to add to landmarks 48..67, IOD.
        chin: what to add to the chin's height, IOD.
        motion: 0 = the mouth is at rest (and shift and chin are 0) .. 1 = it moves of its own.
    """

    shift: NDArray[np.float64]
    chin: float
    motion: float


NO_OFFSET = RestOffset(np.zeros((20, 2)), 0.0, 0.0)


@dataclass(frozen=True)
class RestTrack:
    """``RestOffset`` of every frame: shift float64 (frames, 20, 2), chin and motion (frames,); 0 without a face."""

    shift: NDArray[np.float64]
    chin: NDArray[np.float64]
    motion: NDArray[np.float64]

    def of(self, frame: int) -> RestOffset:
        """Return one frame's."""
        return RestOffset(self.shift[frame], float(self.chin[frame]), float(self.motion[frame]))


def track_rest_pose(
    landmarks: NDArray[np.float64],
    gaps: NDArray[np.float64],
    neutral: NDArray[np.float64],
    closed_gap: float,
    tracks: FaceTracks,
) -> RestTrack:
    """Find every frame's mouth at rest: the mean of the closed mouths around it that are seen from the same side.

    Args:
        landmarks: (frames, 68, 2), head frame.
        gaps: (frames,), of the lips in them, IOD.
        neutral: (68, 2), the clip's closed mouth.
        closed_gap: of that mouth, IOD.
    """
    present = tracks.present
    own, whole_clip = np.nan_to_num(_rest_points(landmarks)), _rest_points(neutral[None])[0]
    beyond = np.maximum(np.nan_to_num(gaps) - closed_gap, 0)
    closed = np.where(present, np.exp(-((beyond / CLOSED_GAP) ** 2)) + OPEN_WEIGHT, 0.0)
    rest = _mean_closed_mouths(own, whole_clip, closed, tracks)
    # A head that turns or nods carries the whole mouth along in the head frame: nose and upper lip belong to the skull.
    rest[..., 0] += (own[:, 23:, 0] - rest[:, 23:, 0]).mean(axis=1, keepdims=True)
    rest[..., 1] += (own[:, 2:5, 1] - rest[:, 2:5, 1]).mean(axis=1, keepdims=True)
    shift = rest - own
    motion = _motion(np.linalg.norm(shift[:, :20], axis=2).max(axis=1) * present, tracks)
    motion *= present
    return RestTrack(
        shift=motion[:, None, None] * shift[:, :20],
        chin=motion * np.clip(shift[:, 20:23, 1].mean(axis=1), -LARGEST_RISE, LARGEST_DROP),
        motion=motion,
    )


def _rest_points(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mouth (0..19), chin (20..22) and base of the nose (23..27)."""
    return np.concatenate([landmarks[:, MOUTH], landmarks[:, CHIN], landmarks[:, NOSE_BASE]], axis=1)


def _mean_closed_mouths(
    own: NDArray[np.float64], whole_clip: NDArray[np.float64], closed: NDArray[np.float64], tracks: FaceTracks
) -> NDArray[np.float64]:
    count = len(own)
    shot = tracks.shots
    pose = np.nan_to_num(tracks.pose[:, :2].astype(np.float64))
    total = np.repeat(NEUTRAL_WEIGHT * whole_clip[None], count, axis=0)
    weight = np.full(count, NEUTRAL_WEIGHT)
    reach = min(window_length(2 * REST_SEARCH_SECONDS, tracks.frame_rate) // 2, count - 1)
    for offset in range(-reach, reach + 1):
        here = np.arange(max(0, -offset), min(count, count - offset))
        there = here + offset
        turned = ((pose[there] - pose[here]) / POSE_DIFFERENCE_DEGREES) ** 2
        near = 0.5 + 0.5 * np.cos(np.pi * offset / (reach + 1))
        share = near * closed[there] * np.exp(-turned.sum(axis=1)) * (shot[there] == shot[here])
        total[here] += share[:, None, None] * own[there]
        weight[here] += share
    return total / weight[:, None, None]


def _motion(distance: NDArray[np.float64], tracks: FaceTracks) -> NDArray[np.float64]:
    share = np.clip((distance - STILL_DISTANCE) / (MOVING_DISTANCE - STILL_DISTANCE), 0, 1)
    window = window_length(SETTLING_SECONDS, tracks.frame_rate)
    lasting = sliding_maximum(share, 2 * window - 1)
    smooth = sliding_mean(lasting, window)
    return np.where(smooth < 1e-6, 0.0, np.minimum(smooth, 1.0))
