"""The default tracker: dlib's frontal detector and 68-point predictor, on one core, at 30 to 70 frames a second.

The predictor was trained on iBUG 300-W, whose terms exclude commercial use.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.faces.dlib_models import frontal_face_detector, landmark_predictor
from heygem_pipeline.faces.following import FaceFollower, Sighting
from heygem_pipeline.faces.reading import read_close_up
from heygem_pipeline.faces.tracker import FollowedFace

BOX_SIGMA = 2.0
"""Frames; boxes are smoothed by a Gaussian of this width, cut off at BOX_REACH frames on either side."""
BOX_REACH = 6


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
        reader = _SteadyReader()
        count = 0
        for count, frame in enumerate(frames, start=1):
            for sighting in follower.see(frame):
                reader.add(sighting)
            if progress is not None:
                progress(count)
        reader.end_run()
        return reader.rows(count, follower)


class _SteadyReader:
    """Reads landmarks from smoothed boxes; a box is smoothed when the sightings on both its sides are known."""

    def __init__(self) -> None:
        self._run: list[Sighting] = []
        """The sightings still needed: up to BOX_REACH that are read, then those that wait."""
        self._waiting = 0
        self._read: list[tuple[int, Box, float, NDArray[np.float32]]] = []

    def add(self, sighting: Sighting) -> None:
        if sighting.begins:
            self.end_run()
        self._run.append(sighting)
        self._waiting += 1
        while self._waiting > BOX_REACH:
            self._read_next()

    def end_run(self) -> None:
        while self._waiting:
            self._read_next()
        self._run.clear()

    def rows(self, count: int, follower: FaceFollower) -> FollowedFace:
        boxes = np.full((count, 4), np.nan, np.float32)
        landmarks = np.full((count, 68, 2), np.nan, np.float32)
        scores = np.full(count, np.nan, np.float32)
        for index, box, score, points in self._read:
            boxes[index], scores[index], landmarks[index] = box, score, points
        return FollowedFace(boxes, landmarks, scores, tuple(follower.cuts[1:]), follower.other_faces)

    def _read_next(self) -> None:
        place = len(self._run) - self._waiting
        self._waiting -= 1
        now = self._run[place]
        near = self._run[max(0, place - BOX_REACH) : place + BOX_REACH + 1]
        distances = np.array([sighting.index - now.index for sighting in near])
        weights = np.exp(-(distances**2) / (2 * BOX_SIGMA**2))
        box = Box(*np.average(np.array([sighting.box for sighting in near]), axis=0, weights=weights))
        self._read.append((now.index, box, now.score, read_close_up(now.close_up, box)))
        if place == BOX_REACH:
            del self._run[0]
