"""What a presenter's tracks say about its mouth: its shape in every frame, its rest, and how far it opens."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.faces.head_frame import transform_points
from heygem_pipeline.faces.temporal_smoothing import savitzky_golay, window_length
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.filters import sliding_mean
from heygem_pipeline.lipsync.warp.analysis.rest_pose import RestTrack, track_rest_pose
from heygem_pipeline.lipsync.warp.contours import contours_from_lips
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures

TYPICAL_OPENING = 0.175
"""IOD: a typical wide opening in speech of a mouth of typical width: the median of 137 clips of people who speak, whose
quartiles are 0.15 and 0.20."""

TYPICAL_WIDTH = 0.78
"""IOD: width of a typical closed mouth."""

LEAST_OPENING_SHARE, MOST_OPENING_SHARE = 0.8, 1.2
"""Bounds of how far the width of a mouth makes its typical opening smaller or larger."""

OPENING_QUANTILE = 0.9
"""Of the gaps in speech: the standard unit of the speech model."""

LEAST_OWN_SHARE, MOST_OWN_SHARE = 0.6, 1.6
"""Bounds of an opening that a presenter shows of itself, over the typical one."""

TOUCHING_PREDICTED_GAP, PARTED_PREDICTED_GAP = 0.045, 0.085
"""Predicted gaps (IOD) below which lips are taken to touch and above which to be parted; both are mixed between."""

OPEN_SECONDS = 2.0
"""Time over which it is judged whether a mouth stands open."""

CLOSED_FRAMES_SHARE = 0.08
"""The share of a clip's frames, those with the smallest gaps, that shows the neutral mouth."""

OWN_TEETH_FROM, OWN_TEETH_SPAN = 0.35, 0.3
"""Share of that time from which an open mouth begins to be the frames' own, and over which it becomes so wholly."""

LEAST_PARTED = 0.02
"""Smaller shares are what smoothing leaves of touching lips."""

MOUTH_SECONDS, FACE_SECONDS = 0.2, 0.44
"""Windows of the Savitzky-Golay filters for the mouth and for what lies around it."""

FEWEST_SPEAKING, FEWEST_SILENT = 40, 8
"""Frames of speech and of silence from which a presenter's own measures are taken."""

TYPICAL_WIDENING, LEAST_WIDENING, MOST_WIDENING = 0.06, 0.045, 0.075
"""Relative deviation of the mouth's width in speech: the usual one, and bounds for what a presenter shows of itself
(quartiles of the talking people measured: 0.04 and 0.075)."""

NARROWEST_QUANTILE, LEAST_NARROWING, MOST_NARROWING = 0.01, 0.12, 0.18
"""Which of a speaking presenter's widths is as narrow as its mouth goes; bounds of that loss of width, whose larger is
anyone else's."""

LEAST_SPOKEN_GAP = 0.05
"""IOD: a mouth that opens less while speech is heard is not the one that speaks."""


@dataclass(frozen=True)
class Calibration:
    """One presenter's mouth; rows of frames without a face are NaN (``parted``: 0).

    Attributes:
        landmarks: float64 (frames, 68, 2), head frame, smoothed in time.
        lips: float64 (frames, 4, 11, 2), the lips' lines likewise.
        gaps: float64 (frames,), of the lips in them, IOD.
        parted: float64 (frames,), 0 = the lips touch, 1 = they are apart.
        own_teeth: float64 (frames,), how far the frames' own open mouths, and not drawn ones, are shown: 1 where the
            mouth is open for seconds, 0 where it only opens now and then, so that the two do not take turns.
        rest: where the mouth would be in each frame without the presenter's own chewing or speech.
        neutral_width: the closed mouth's width, IOD.
        opening: IOD of gap for one standard unit of the speech model.
        widening: relative change of width for one standard unit.
        narrowing: the largest relative loss of width.
    """

    landmarks: NDArray[np.float64]
    lips: NDArray[np.float64]
    gaps: NDArray[np.float64]
    parted: NDArray[np.float64]
    own_teeth: NDArray[np.float64]
    rest: RestTrack
    neutral_width: float
    opening: float
    widening: float
    narrowing: float


def calibrate(tracks: FaceTracks, speech: SpeechFeatures | None = None) -> Calibration:
    """Measure the presenter's mouth from its tracks; at least one frame must show a face.

    A presenter who is seen to speak shows how far this mouth opens, and its rest between words; anyone else gets a
    typical opening, scaled by the width of the mouth.

    Args:
        speech: the presenter's own sound.
    """
    landmarks = _smoothed_landmarks(tracks)
    lips = _smoothed_lips(tracks)
    gaps = np.array([contours_from_lips(frame).gap for frame in lips])
    speaking = _speaking(tracks, speech)
    resting = tracks.present & ~speaking
    silent = np.flatnonzero(resting if resting.sum() >= FEWEST_SILENT else tracks.present)
    closed = silent[gaps[silent] <= np.quantile(gaps[silent], CLOSED_FRAMES_SHARE)]
    neutral = np.median(landmarks[closed], axis=0)
    width = float(np.linalg.norm(neutral[54] - neutral[48]))
    parted = _parted(gaps, tracks)
    typical = _typical_opening(width, smiling=bool(np.median(parted[closed]) > 0.5))
    opening = _own_opening(gaps, speaking, float(np.median(gaps[closed])), typical)
    return Calibration(
        landmarks=landmarks,
        lips=lips,
        gaps=gaps,
        parted=parted,
        own_teeth=_own_teeth(parted, tracks),
        rest=track_rest_pose(landmarks, gaps, neutral, float(np.median(gaps[closed])), tracks),
        neutral_width=width,
        opening=opening or typical,
        widening=_widening(landmarks, speaking, width) if opening else TYPICAL_WIDENING,
        narrowing=_narrowing(landmarks, speaking, width) if opening else MOST_NARROWING,
    )


def _typical_opening(width: float, smiling: bool) -> float:
    # A smile that bares the teeth is wide because it is a smile, not because the mouth is large.
    largest = 1.0 if smiling else MOST_OPENING_SHARE
    return TYPICAL_OPENING * float(np.clip(width / TYPICAL_WIDTH, LEAST_OPENING_SHARE, largest))


def _own_opening(gaps: NDArray[np.float64], speaking: NDArray[np.bool_], closed: float, typical: float) -> float | None:
    """The speech model's unit is the 90th percentile of the gap in speech: so it is here, where there is speech."""
    if speaking.sum() < FEWEST_SPEAKING:
        return None
    own = float(np.quantile(gaps[speaking], OPENING_QUANTILE)) - closed
    # A mouth that stays still while something is heard does not speak itself.
    bounded = float(np.clip(own, LEAST_OWN_SHARE * typical, MOST_OWN_SHARE * typical))
    return bounded if own > LEAST_SPOKEN_GAP else None


def _widening(landmarks: NDArray[np.float64], speaking: NDArray[np.bool_], width: float) -> float:
    widths = np.linalg.norm(landmarks[speaking, 54] - landmarks[speaking, 48], axis=1)
    return float(np.clip(widths.std() / width, LEAST_WIDENING, MOST_WIDENING))


def _narrowing(landmarks: NDArray[np.float64], speaking: NDArray[np.bool_], width: float) -> float:
    widths = np.linalg.norm(landmarks[speaking, 54] - landmarks[speaking, 48], axis=1)
    return float(np.clip(1 - np.quantile(widths, NARROWEST_QUANTILE) / width, LEAST_NARROWING, MOST_NARROWING))


def _speaking(tracks: FaceTracks, speech: SpeechFeatures | None) -> NDArray[np.bool_]:
    """Bool (frames,): a face is seen while speech is heard in the presenter's own sound."""
    if speech is None or not len(speech.activity):
        return np.zeros(len(tracks), bool)
    times = np.arange(len(tracks)) / float(tracks.frame_rate)
    rows = np.arange(len(speech.activity)) / FEATURE_RATE
    return (np.interp(times, rows, speech.activity, right=0) > 0.5) & tracks.present


def _smoothed_landmarks(tracks: FaceTracks) -> NDArray[np.float64]:
    """Through the raw matrices, so that the pose's jitter cancels, then steadied."""
    placed = transform_points(tracks.raw_head, tracks.landmarks)
    slow, quick = window_length(FACE_SECONDS, tracks.frame_rate), window_length(MOUTH_SECONDS, tracks.frame_rate)
    face = savitzky_golay(placed[:, :48], tracks.present, slow, order=1, cuts=tracks.cuts)
    mouth = savitzky_golay(placed[:, 48:], tracks.present, quick, cuts=tracks.cuts)
    return np.concatenate([face, mouth], axis=1)


def _smoothed_lips(tracks: FaceTracks) -> NDArray[np.float64]:
    count = len(tracks)
    placed = transform_points(tracks.raw_head, tracks.lips.reshape(count, -1, 2))
    window = window_length(MOUTH_SECONDS, tracks.frame_rate)
    return savitzky_golay(placed, tracks.present, window, cuts=tracks.cuts).reshape(tracks.lips.shape)


def _parted(gaps: NDArray[np.float64], tracks: FaceTracks) -> NDArray[np.float64]:
    share = smoothstep(TOUCHING_PREDICTED_GAP, PARTED_PREDICTED_GAP, gaps)
    window = window_length(MOUTH_SECONDS, tracks.frame_rate)
    smooth = savitzky_golay(share, tracks.present, window, order=1, cuts=tracks.cuts)
    return np.nan_to_num(np.where(smooth < LEAST_PARTED, 0.0, smooth))


def _own_teeth(parted: NDArray[np.float64], tracks: FaceTracks) -> NDArray[np.float64]:
    window = min(2 * round(float(tracks.frame_rate) * OPEN_SECONDS / 2) + 1, 2 * len(parted) - 1)
    return np.clip((sliding_mean(parted, window) - OWN_TEETH_FROM) / OWN_TEETH_SPAN, 0, 1)
