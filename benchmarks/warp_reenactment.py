"""A recorded performance drives a presenter: what the mouth of one tracked clip does, another clip's mouth does."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.analysis.calibration import CLOSED_FRAMES_SHARE, Calibration, calibrate
from heygem_pipeline.lipsync.warp.analysis.rest_pose import RestOffset
from heygem_pipeline.lipsync.warp.articulation.lip_model import ROUNDED_WIDTH, closed_contours
from heygem_pipeline.lipsync.warp.articulation.performance import MouthTarget
from heygem_pipeline.lipsync.warp.contours import MouthContours, contours_from_lips
from heygem_pipeline.lipsync.warp.exemplars.collection import collect_exemplars
from heygem_pipeline.lipsync.warp.sequence_renderer import render_performance
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.timeline import ping_pong

SMALLEST_SCALE, LARGEST_SCALE = 0.8, 1.2
"""Bounds of the ratio of the two mouths' widths by which a movement is carried over."""

SAME_POSE = 2.0
"""Degrees of yaw and pitch within which heads are seen alike: a head that nods carries its mouth up and down in the
head frame."""

SMALLEST_GAP = 0.006
"""IOD: openings up to this are the landmarks' noise, and the lips touch."""


@dataclass(frozen=True)
class RecordedPerformance:
    """Movements of a tracked mouth away from its rest, carried over to another.

    landmarks: float64 (frames, 68, 2), head frame of the performer, one row an output frame; NaN where unseen.
    neutral: float64 (68, 2), the performer's closed mouth. lips: float64 (frames, 4, 11, 2), the lines of its
    lips; neutral_lips: (4, 11, 2). scale: the presenter's mouth against the performer's.
    """

    landmarks: NDArray[np.float64]
    neutral: NDArray[np.float64]
    lips: NDArray[np.float64]
    neutral_lips: NDArray[np.float64]
    scale: float

    def __len__(self) -> int:
        """Number of output frames."""
        return len(self.landmarks)

    def target_for(self, output_frame: int, own: MouthContours, rest: RestOffset) -> MouthTarget:
        """See ``Performance.target_for``: the rest, moved as the performer moves. At rest where he is unseen."""
        closed, landmarks = closed_contours(own, rest), self.landmarks[output_frame]
        if not np.isfinite(landmarks).all():
            return MouthTarget(closed, 0.0, 0.0)
        driven, neutral = contours_from_lips(self.lips[output_frame]), contours_from_lips(self.neutral_lips)
        jaw = self.scale * float((landmarks[7:10, 1] - self.neutral[7:10, 1]).mean())
        rounding = float(np.clip((1 - driven.width / neutral.width) / ROUNDED_WIDTH, 0, 1))
        return MouthTarget(_carried_over(closed, driven, neutral, self.scale), max(jaw, 0.0), rounding)


def recorded_performance(
    performer: FaceTracks,
    presenter: Calibration,
    frame_rate: Fraction,
    pose: NDArray[np.floating],
    own: Calibration | None = None,
) -> RecordedPerformance:
    """Return a tracked clip's mouth as a performance for a presenter.

    frame_rate: of the presenter's frames, for which the performance is resampled. pose: (2,), the presenter's yaw and
    pitch, degrees. own: the performer's calibration, if it is known already.
    Rest is the mean of the performer's most closed 8 % of frames, those most of all that are seen as the presenter is.
    """
    own = own or calibrate(performer)
    return RecordedPerformance(
        landmarks=_resampled(own.landmarks, float(performer.frame_rate), float(frame_rate)),
        neutral=_closed_mouth(own, own.landmarks, performer, pose),
        lips=_resampled(own.lips, float(performer.frame_rate), float(frame_rate)),
        neutral_lips=_closed_mouth(own, own.lips, performer, pose),
        scale=float(np.clip(presenter.neutral_width / own.neutral_width, SMALLEST_SCALE, LARGEST_SCALE)),
    )


def reenact(performer: FaceTracks, presenter: FrameSequence, tracks: FaceTracks) -> Iterator[MouthPatch]:
    """Yield the patches of a clip in which the presenter's mouth does what the performer's does, as long as that.

    performer, tracks: the followed faces of the recording and of the presenter; each must show one.
    """
    calibration = calibrate(tracks)
    pose = np.median(tracks.pose[tracks.present, :2], axis=0)
    performance = recorded_performance(performer, calibration, tracks.frame_rate, pose)
    count = len(performance)
    shown = np.array([ping_pong(position, len(tracks)) for position in range(count)])
    exemplars = collect_exemplars(presenter.frames, tracks, calibration)
    yield from render_performance(performance, presenter.presentation(count), shown, tracks, calibration, exemplars)


def _closed_mouth(
    own: Calibration, shapes: NDArray[np.float64], performer: FaceTracks, pose: NDArray[np.floating]
) -> NDArray[np.float64]:
    closed = np.flatnonzero(performer.present & (own.gaps <= np.nanquantile(own.gaps, CLOSED_FRAMES_SHARE)))
    turned = (((performer.pose[closed, :2] - pose) / SAME_POSE) ** 2).sum(axis=1)
    weight = np.exp(-(turned - turned.min()))
    return np.average(shapes[closed], axis=0, weights=weight)


def _resampled(values: NDArray[np.float64], rate: float, wanted: float) -> NDArray[np.float64]:
    """Values (frames, ...) at another frame rate, straight lines between frames."""
    if rate == wanted:
        return values
    place = np.arange(int(len(values) / rate * wanted)) * (rate / wanted)
    before = np.minimum(place.astype(int), len(values) - 1)
    after = np.minimum(before + 1, len(values) - 1)
    share = (place - before).reshape(-1, *[1] * (values.ndim - 1))
    return values[before] + share * (values[after] - values[before])


def _carried_over(rest: MouthContours, driven: MouthContours, neutral: MouthContours, scale: float) -> MouthContours:
    def moved(name: str) -> NDArray[np.float64]:
        return getattr(rest, name) + scale * (getattr(driven, name) - getattr(neutral, name))

    upper_inner, lower_inner = moved("upper_inner"), moved("lower_inner")
    height = lower_inner[:, 1] - upper_inner[:, 1]
    middle = upper_inner[:, 1] + height / 2
    height = np.maximum(height - SMALLEST_GAP, 0)
    upper_inner[:, 1], lower_inner[:, 1] = middle - height / 2, middle + height / 2
    return MouthContours(moved("upper_outer"), moved("lower_outer"), upper_inner, lower_inner)
