"""What a template's tracks say about its mouth: its shape in every frame, its rest, and how far it opens."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import transform
from heygem_pipeline.faces.smoothing import savitzky_golay
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.curves import contours_from_landmarks
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures

TYPICAL_OPENING = 0.17
"""IOD: a typical wide opening in speech of a mouth of typical width."""

TYPICAL_WIDTH = 0.78
"""IOD: width of a typical closed mouth."""

TOUCHING, PARTED = 0.045, 0.085
"""Predicted gaps (IOD) below which lips are taken to touch and above which to be parted; both are mixed between."""

EXPRESSION_SECONDS = 1.0
"""What lasts longer than this is a smile, what is shorter is speech."""

OPEN_SECONDS = 2.0
"""Time over which it is judged whether a mouth stands open."""

SPEAKING_SECONDS = 0.4
"""Lips that were apart this long ago or ahead may still be speaking."""

CLOSED_SHARE = 0.08
"""The share of a clip's frames, those with the smallest gaps, that shows the neutral mouth."""

MOUTH_WINDOW, FACE_WINDOW = 5, 11
"""Frames of the Savitzky-Golay filters for the mouth and for what lies around it."""


FEWEST_SPEAKING, FEWEST_SILENT = 40, 8
"""Frames of speech and of silence from which a template's own measures are taken."""

LEAST_SPOKEN_GAP = 0.05
"""IOD: a mouth that opens less while speech is heard is not the one that speaks."""


@dataclass(frozen=True)
class Calibration:
    """One template's mouth; rows of frames without a face are NaN (``parted``: 0).

    landmarks: float64 (frames, 68, 2), head frame, smoothed in time.
    parted: float64 (frames,), 0 = the lips touch, 1 = they are apart.
    own_teeth: float64 (frames,), how far the frames' own open mouths, and not drawn ones, are shown: 1 where the mouth
        is open for seconds, 0 where it only opens now and then, so that the two do not take turns.
    corner_shift: float64 (frames, 2, 2), from the left and right corner to where they would be without the template's
        own speech: expressions last, speech moves quickly. Exactly 0 where the lips stay closed for a while.
    neutral_chin: y of the chin while the mouth is closed, IOD.
    neutral_width: the closed mouth's width, IOD.
    opening: IOD of gap for one standard unit of the speech model.
    """

    landmarks: NDArray[np.float64]
    parted: NDArray[np.float64]
    own_teeth: NDArray[np.float64]
    corner_shift: NDArray[np.float64]
    neutral_chin: float
    neutral_width: float
    opening: float


def calibrate(tracks: FaceTracks, speech: SpeechFeatures | None = None) -> Calibration:
    """Measure the template's mouth from its tracks; at least one frame must show a face.

    speech: the template's own sound. A presenter who is seen to speak shows how far this mouth opens, and its rest
    between words; anyone else gets a typical opening, scaled by the width of the mouth.
    """
    landmarks = _smoothed_landmarks(tracks)
    gaps = np.array([contours_from_landmarks(frame).gap for frame in landmarks])
    speaking = _speaking(tracks, speech)
    resting = tracks.present & ~speaking
    silent = np.flatnonzero(resting if resting.sum() >= FEWEST_SILENT else tracks.present)
    closed = silent[gaps[silent] <= np.quantile(gaps[silent], CLOSED_SHARE)]
    neutral = np.median(landmarks[closed], axis=0)
    width = float(np.linalg.norm(neutral[54] - neutral[48]))
    parted = _parted(gaps, tracks)
    return Calibration(
        landmarks=landmarks,
        parted=parted,
        own_teeth=_own_teeth(parted, tracks),
        corner_shift=_corner_shift(landmarks, parted, tracks),
        neutral_chin=float(neutral[7:10, 1].mean()),
        neutral_width=width,
        opening=_opening(gaps, speaking, float(np.median(gaps[closed])), width, bool(np.median(parted[closed]) > 0.5)),
    )


def _opening(
    gaps: NDArray[np.float64], speaking: NDArray[np.bool_], closed: float, width: float, smiling: bool
) -> float:
    """The speech model's unit is the 90th percentile of the gap in speech: so it is here, where there is speech."""
    # A smile that bares the teeth is wide because it is a smile, not because the mouth is large.
    typical = TYPICAL_OPENING * float(np.clip(width / TYPICAL_WIDTH, 0.8, 1.0 if smiling else 1.2))
    if speaking.sum() < FEWEST_SPEAKING:
        return typical
    own = float(np.quantile(gaps[speaking], 0.9)) - closed
    # A mouth that stays still while something is heard does not speak itself.
    return float(np.clip(own, 0.6 * typical, 1.6 * typical)) if own > LEAST_SPOKEN_GAP else typical


def _speaking(tracks: FaceTracks, speech: SpeechFeatures | None) -> NDArray[np.bool_]:
    """Bool (frames,): a face is seen while speech is heard in the template's own sound."""
    if speech is None or not len(speech.activity):
        return np.zeros(len(tracks), bool)
    times = np.arange(len(tracks)) / float(tracks.frame_rate)
    rows = np.arange(len(speech.activity)) / FEATURE_RATE
    return (np.interp(times, rows, speech.activity, right=0) > 0.5) & tracks.present


def _smoothed_landmarks(tracks: FaceTracks) -> NDArray[np.float64]:
    """Through the raw matrices, so that the pose's jitter cancels, then steadied."""
    placed = transform(tracks.raw_head, tracks.landmarks)
    face = savitzky_golay(placed[:, :48], tracks.present, FACE_WINDOW, order=1, cuts=tracks.cuts)
    mouth = savitzky_golay(placed[:, 48:], tracks.present, MOUTH_WINDOW, cuts=tracks.cuts)
    return np.concatenate([face, mouth], axis=1)


def _parted(gaps: NDArray[np.float64], tracks: FaceTracks) -> NDArray[np.float64]:
    share = np.clip((gaps - TOUCHING) / (PARTED - TOUCHING), 0, 1)
    share = share * share * (3 - 2 * share)
    smooth = savitzky_golay(share, tracks.present, MOUTH_WINDOW, order=1, cuts=tracks.cuts)
    return np.nan_to_num(np.where(smooth < 0.02, 0.0, smooth))


def _own_teeth(parted: NDArray[np.float64], tracks: FaceTracks) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    window = min(2 * round(float(tracks.frame_rate) * OPEN_SECONDS / 2) + 1, 2 * len(parted) - 1)
    return np.clip((uniform_filter1d(parted, window, mode="nearest") - 0.35) / 0.3, 0, 1)


def _corner_shift(
    landmarks: NDArray[np.float64], parted: NDArray[np.float64], tracks: FaceTracks
) -> NDArray[np.float64]:
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    corners = landmarks[:, [48, 54]]
    window = 2 * round(float(tracks.frame_rate) * EXPRESSION_SECONDS / 2) + 1
    lasting = savitzky_golay(corners, tracks.present, window, order=1, cuts=tracks.cuts)
    reach = 2 * round(float(tracks.frame_rate) * SPEAKING_SECONDS) + 1
    speaking = uniform_filter1d(maximum_filter1d(parted, reach, mode="nearest"), reach // 2, mode="nearest")
    speaking = np.where(speaking < 1e-6, 0.0, np.minimum(speaking, 1.0))
    return np.nan_to_num(speaking[:, None, None] * (lasting - corners))
