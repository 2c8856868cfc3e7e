"""From a presenter to its face tracks: follow, fill short gaps, fit the head frame, read the pose, refuse the unfit."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.blas_threads import one_blas_thread
from heygem_pipeline.faces.fitness import refuse_unfit
from heygem_pipeline.faces.head_frame import fit_head_frame
from heygem_pipeline.faces.mesh_points import LIP_LINES, MOUTH_BLENDSHAPES, lip_lines_of
from heygem_pipeline.faces.mouth_cover import NOTHING_BEFORE, mouth_cover
from heygem_pipeline.faces.pose import head_pose
from heygem_pipeline.faces.temporal_smoothing import fill_short_gaps, savitzky_golay, window_length
from heygem_pipeline.faces.tracker import FaceTracker, FollowedFace
from heygem_pipeline.faces.tracker_registry import load_tracker
from heygem_pipeline.faces.tracks import FaceState, FaceTracks
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.opencv_threads import one_opencv_thread
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch
from heygem_pipeline.settings import DEFAULTS, UploadLimits

LONGEST_FILLED_GAP = Fraction(1, 5)
"""Seconds; a blink of the detector, not a face that went away."""
HEAD_SMOOTHING_SECONDS = 0.44
"""Window of the Savitzky-Golay filter over head matrices and pose: 11 frames at 25 a second. Matrices act linearly, so
this smooths the path of every mapped point alike."""


def track_faces(
    sequence: FrameSequence,
    tracker: FaceTracker | None = None,
    progress: Callable[[int], None] | None = None,
    limits: UploadLimits = DEFAULTS,
) -> FaceTracks:
    """Follow the presenter's face through every frame of ``sequence``; reads the presenter once, holding a few frames.

    Args:
        tracker: default, the settings' own.
        progress: called with the number of frames done.
        limits: what a face must keep.

    Raises:
        NoFace: No frame shows a face.
        FaceRarelySeen: A face is seen in too few frames.
        FaceTooSmall: The face has too few pixels for a mouth to be drawn.
        FaceLeansOver: The picture lies on its side or stands on its head.
        FaceTurnedAway: The face is turned too far to the side most of the time.
        ModelMissing: if the tracker's model is not installed.
    """
    tracker = tracker or load_tracker(DEFAULTS.tracker, DEFAULTS)
    info = sequence.info
    with one_opencv_thread(), closing(prefetch(sequence.frames(exact=False), FRAMES_AHEAD)) as frames:
        followed = tracker.track(frames, info.frame_rate, progress)
    with one_blas_thread():
        tracks = complete_tracks(followed, info.frame_rate, (info.width, info.height))
    refuse_unfit(tracks, info.path.name, limits)
    return tracks


def complete_tracks(followed: FollowedFace, frame_rate: Fraction, size: tuple[int, int]) -> FaceTracks:
    """Complete what a tracker read: fill gaps up to 0.2 s, add head frame and pose. Without any face, all is ABSENT."""
    found = np.isfinite(followed.boxes[:, 0])
    count = len(found)
    longest = int(LONGEST_FILLED_GAP * frame_rate)
    landmarks, present = fill_short_gaps(followed.landmarks, found, longest, followed.cuts)
    boxes, _ = fill_short_gaps(followed.boxes, found, longest, followed.cuts)
    score, _ = fill_short_gaps(followed.score, found, longest, followed.cuts)
    lips = followed.lips
    if lips is None:
        lips = np.full((count, *LIP_LINES.shape, 2), np.nan, np.float32)
        lips[found] = lip_lines_of(followed.landmarks[found])
    lips, _ = fill_short_gaps(lips, found, longest, followed.cuts)
    if followed.blendshapes is None:
        blendshapes = np.full((count, len(MOUTH_BLENDSHAPES)), np.nan)
    else:
        blendshapes, _ = fill_short_gaps(followed.blendshapes, found, longest, followed.cuts)
    window = window_length(HEAD_SMOOTHING_SECONDS, frame_rate)

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return savitzky_golay(values, present, window, cuts=followed.cuts)

    raw_head = np.full((count, 2, 3), np.nan)
    reference = np.full((68, 2), np.nan, np.float32)
    if present.any():
        raw_head, reference = fit_head_frame(landmarks, present)
    pose = smooth(head_pose(landmarks, present)).astype(np.float32)
    cover = NOTHING_BEFORE if followed.colours is None else mouth_cover(followed.colours, pose[:, 0], frame_rate)
    state = np.where(found, FaceState.FOUND, np.where(present, FaceState.FILLED, FaceState.ABSENT))
    return FaceTracks(
        frame_rate=frame_rate,
        size=size,
        state=state.astype(np.int8),
        boxes=boxes.astype(np.float32),
        landmarks=landmarks.astype(np.float32),
        head=smooth(raw_head),
        raw_head=raw_head,
        pose=pose,
        score=score.astype(np.float32),
        reference=reference,
        other_faces=followed.other_faces,
        lips=lips.astype(np.float32),
        blendshapes=blendshapes.astype(np.float32),
        cuts=followed.cuts,
        cover=cover,
    )
