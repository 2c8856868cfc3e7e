"""The default tracker: dlib's frontal detector and 68-point predictor, on one core, at 30 to 70 frames a second.

The predictor was trained on iBUG 300-W, whose terms exclude commercial use.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.box_smoothing import BoxSmoother, SmoothedBox
from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.faces.dlib_models import frontal_face_detector, landmark_predictor
from heygem_pipeline.faces.face_follower import FaceFollower, FaceObservation
from heygem_pipeline.faces.landmark_reader import read_close_up
from heygem_pipeline.faces.tracker import FollowedFace

_Row = tuple[int, Box, float, NDArray[np.float32]]
"""Frame, box, score and landmarks (68, 2)."""


class DlibTracker:
    """Follows the face in one pass and reads its landmarks a few frames later, from boxes smoothed in time."""

    name = "dlib"
    version = "1"

    def track(
        self,
        frames: Iterable[NDArray[np.uint8]],
        frame_rate: Fraction,
        progress: Callable[[int], None] | None = None,
    ) -> FollowedFace:
        """See FaceTracker.track. Holds the close-ups of about a second, whatever the clip's length."""
        landmark_predictor()
        frontal_face_detector()
        follower = FaceFollower(float(frame_rate))
        waiting: BoxSmoother[FaceObservation] = BoxSmoother()
        read: list[_Row] = []
        count = 0
        for count, frame in enumerate(frames, start=1):
            for observation in follower.update(frame):
                read += map(_read, waiting.add(observation.index, observation.box, observation, observation.begins))
            if progress is not None:
                progress(count)
        read += map(_read, waiting.end_run())
        return _rows(read, count, follower)


def _read(certain: SmoothedBox[FaceObservation]) -> _Row:
    return certain.frame, certain.box, certain.item.score, read_close_up(certain.item.close_up, certain.box)


def _rows(read: list[_Row], count: int, follower: FaceFollower) -> FollowedFace:
    boxes = np.full((count, 4), np.nan, np.float32)
    landmarks = np.full((count, 68, 2), np.nan, np.float32)
    scores = np.full(count, np.nan, np.float32)
    for index, box, score, points in read:
        boxes[index], scores[index], landmarks[index] = box, score, points
    return FollowedFace(boxes, landmarks, scores, tuple(follower.cuts[1:]), follower.other_faces)
