"""Which face is followed, and where it is in the next frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import (
    Box,
    box_around,
    intersection_over_union,
    most_prominent,
    roll_angle,
    share_inside,
)
from heygem_pipeline.faces.close_up import CloseUp, crop_close_up
from heygem_pipeline.faces.detection import detect_all_faces, detect_at_scale, detect_large_faces, detect_near
from heygem_pipeline.faces.dlib_models import DETECTOR_WINDOW, detect_faces, predict_landmarks
from heygem_pipeline.faces.shot_detection import CUT_CHANGE, face_patch, is_cut, patch_correlation, thumbnail

CONFIRMING_SCORE = -0.3
"""Detector score that confirms a face where one is expected; lower than for a face from nowhere."""
SAME_FACE_OVERLAP = 0.3
"""Overlap at which a detection confirms the followed face."""
LEAST_READING_OVERLAP = 0.5
"""Overlap from which a box is good enough to read landmarks from, and that read landmarks must keep with it."""
LEAST_SHARE_INSIDE = 0.8
"""Share of the face's box that must lie inside the frame."""
SECONDS_UNCONFIRMED = 0.5
SECONDS_WAITING = 2.0
SECONDS_BETWEEN_SURVEYS = 1.0
OTHER_FACE_WIDTH = 0.5
"""Further faces count when they are at least this wide, in widths of the followed one."""
OTHER_FACE_SCORE = 0.25
"""Score from which a further face counts; lower ones are often gone in the next frame."""


@dataclass(frozen=True)
class FaceObservation:
    """The followed face in one frame.

    Attributes:
        box: from landmarks read once, frame pixels.
        roll: from the same landmarks, degrees.
        score: the detector's, or CONFIRMING_SCORE where it saw no face.
        confirmed: whether it saw one.
        begins: nothing before it belongs to the same run of frames.
        patch: see face_patch.
    """

    index: int
    close_up: CloseUp
    box: Box
    roll: float
    score: float
    confirmed: bool
    begins: bool
    patch: NDArray[np.float32]


class FaceFollower:
    """Follows one face: the most prominent one of the first frame that shows any, and anew after every cut.

    Each frame's face is sought where the last one's landmarks were, and the detector confirms it there. Frames that it
    does not confirm count only if it confirms a later one within half a second. A lost face is awaited near its place
    for two seconds before another is taken.
    """

    def __init__(self, frame_rate: float) -> None:
        self._longest_unconfirmed = max(1, round(SECONDS_UNCONFIRMED * frame_rate))
        self._longest_wait = round(SECONDS_WAITING * frame_rate)
        self._survey_interval = max(1, round(SECONDS_BETWEEN_SURVEYS * frame_rate))
        self._index = -1
        self._thumbnail: NDArray[np.float32] | None = None
        self._current: FaceObservation | None = None
        self._awaited: FaceObservation | None = None
        self._unconfirmed: list[FaceObservation] = []
        self.cuts: list[int] = []
        self.other_faces = 0

    def update(self, frame: NDArray[np.uint8]) -> list[FaceObservation]:
        """Take the next BGR frame; return, in order, the observations now certain, perhaps of earlier frames."""
        self._index += 1
        before, self._thumbnail = self._thumbnail, thumbnail(frame)
        change = 0.0 if before is None else float(np.abs(self._thumbnail - before).mean())
        observation = self._follow(frame, change)
        if observation is None:
            observation = self._search(frame, change)
        if observation is not None and self._index % self._survey_interval == 0:
            self._survey(frame, observation.box)
        return self._settle(observation)

    def _follow(self, frame: NDArray[np.uint8], change: float) -> FaceObservation | None:
        """Look where the face was; None if it is there no more or another one is."""
        last = self._current
        if last is None:
            return None
        observation = self._observe(frame, last.box, last.roll)
        if observation is not None:
            unmoved = face_patch(observation.close_up, last.box)
            likeness = max(patch_correlation(observation.patch, last.patch), patch_correlation(unmoved, last.patch))
            if observation.close_up.rotation != last.close_up.rotation or not is_cut(change, likeness):
                return observation
        self._unconfirmed.clear()
        self._current = None
        return None

    def _search(self, frame: NDArray[np.uint8], change: float) -> FaceObservation | None:
        """Look for the awaited face, or for any."""
        new_shot = self._index == 0 or change > CUT_CHANGE
        if new_shot or (self._awaited is not None and self._index - self._awaited.index > self._longest_wait):
            self._awaited = None
        if self._awaited is not None:
            near = [box for box, _ in detect_near(frame, self._awaited.box)]
            found = most_prominent(near, frame) if near else None
        else:
            faces = detect_large_faces(frame)
            if not faces and (new_shot or self._index % self._survey_interval == 0):
                faces = detect_all_faces(frame)
            found = most_prominent([box for box, _ in faces], frame) if faces else None
        observation = self._observe(frame, found, begins=True) if found is not None else None
        if observation is None or not observation.confirmed:
            return None
        awaited = self._awaited
        if awaited is None or is_cut(change, patch_correlation(observation.patch, awaited.patch)):
            self.cuts.append(self._index)
        return observation

    def _observe(
        self, frame: NDArray[np.uint8], box: Box, roll: float = 0.0, begins: bool = False
    ) -> FaceObservation | None:
        """Read the face expected in ``box``; None if what is read there is no whole face."""
        close_up = crop_close_up(frame, box, roll)
        expected = close_up.to_close_up(box)
        detected = [
            (close_up.enlarged(face), score) for face, score in detect_faces(close_up.reduced(), CONFIRMING_SCORE)
        ]
        best, score = max(
            detected, key=lambda face: intersection_over_union(face[0], expected), default=(expected, CONFIRMING_SCORE)
        )
        confirmed = bool(detected) and intersection_over_union(best, expected) >= SAME_FACE_OVERLAP
        start = best if confirmed and intersection_over_union(best, expected) < LEAST_READING_OVERLAP else expected
        points = predict_landmarks(close_up.picture, start)
        read = box_around(points)
        outward = close_up.to_frame(read)
        if (
            intersection_over_union(read, start) < LEAST_READING_OVERLAP
            or share_inside(outward, frame) < LEAST_SHARE_INSIDE
        ):
            return None
        return FaceObservation(
            index=self._index,
            close_up=close_up,
            box=outward,
            roll=roll_angle(close_up.points_to_frame(points)),
            score=score if confirmed else CONFIRMING_SCORE,
            confirmed=confirmed,
            begins=begins,
            patch=face_patch(close_up, outward),
        )

    def _settle(self, observation: FaceObservation | None) -> list[FaceObservation]:
        """Return what has become certain."""
        self._current = observation
        if observation is None:
            return []
        self._unconfirmed.append(observation)
        if observation.confirmed:
            self._awaited = observation
            certain, self._unconfirmed = self._unconfirmed, []
            return certain
        if len(self._unconfirmed) > self._longest_unconfirmed:
            self._unconfirmed.clear()
            self._current = None
        return []

    def _survey(self, frame: NDArray[np.uint8], followed: Box) -> None:
        """Count further faces that are at least half as wide as the followed one."""
        faces = detect_at_scale(frame, DETECTOR_WINDOW / (OTHER_FACE_WIDTH * followed.width), OTHER_FACE_SCORE)
        self.other_faces = max(
            self.other_faces, sum(intersection_over_union(face, followed) < SAME_FACE_OVERLAP for face, _ in faces)
        )
