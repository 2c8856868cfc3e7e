"""Which face is followed, and where it is in the next frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, box_around, lean, most_prominent, overlap, share_inside
from heygem_pipeline.faces.close_up import CloseUp, take_close_up
from heygem_pipeline.faces.detection import careful_look, look, look_near, quick_look
from heygem_pipeline.faces.dlib_models import DETECTOR_WINDOW, detect_faces, predict_landmarks
from heygem_pipeline.faces.shots import CUT_CHANGE, alike, face_patch, is_cut, thumbnail

CONFIRMING_SCORE = -0.3
"""Detector score that confirms a face where one is expected; lower than for a face from nowhere."""
SAME_FACE = 0.3
"""Overlap at which a detection confirms the followed face."""
CLOSE = 0.5
"""Overlap from which a box is good enough to read landmarks from, and that read landmarks must keep with it."""
WHOLE = 0.8
"""Share of the face's box that must lie inside the frame."""
SECONDS_UNCONFIRMED = 0.5
SECONDS_WAITING = 2.0
SECONDS_BETWEEN_SURVEYS = 1.0
SURVEYED_WIDTH = 0.5
"""Further faces count when they are at least this wide, in widths of the followed one."""
SURE_OF_ANOTHER = 0.25
"""Score from which a further face counts; lower ones are often gone in the next frame."""


@dataclass(frozen=True)
class Sighting:
    """The followed face in one frame.

    box, roll: from landmarks read once, frame pixels and degrees.
    score: the detector's, or CONFIRMING_SCORE where it saw no face; confirmed: whether it saw one.
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
        self._current: Sighting | None = None
        self._awaited: Sighting | None = None
        self._unconfirmed: list[Sighting] = []
        self.cuts: list[int] = []
        self.other_faces = 0

    def see(self, frame: NDArray[np.uint8]) -> list[Sighting]:
        """Take the next BGR frame; return, in order, the sightings that are now certain, perhaps of earlier frames."""
        self._index += 1
        before, self._thumbnail = self._thumbnail, thumbnail(frame)
        change = 0.0 if before is None else float(np.abs(self._thumbnail - before).mean())
        sighting = self._look_again(frame, change)
        if sighting is None:
            sighting = self._search(frame, change)
        if sighting is not None and self._index % self._survey_interval == 0:
            self._survey(frame, sighting.box)
        return self._take(sighting)

    def _look_again(self, frame: NDArray[np.uint8], change: float) -> Sighting | None:
        """Look where the face was; None if it is there no more or another one is."""
        last = self._current
        if last is None:
            return None
        sighting = self._look_at(frame, last.box, last.roll)
        if sighting is not None:
            unmoved = face_patch(sighting.close_up, last.box)
            likeness = max(alike(sighting.patch, last.patch), alike(unmoved, last.patch))
            if sighting.close_up.turn != last.close_up.turn or not is_cut(change, likeness):
                return sighting
        self._unconfirmed.clear()
        self._current = None
        return None

    def _search(self, frame: NDArray[np.uint8], change: float) -> Sighting | None:
        """Look for the awaited face, or for any."""
        new_shot = self._index == 0 or change > CUT_CHANGE
        if new_shot or (self._awaited is not None and self._index - self._awaited.index > self._longest_wait):
            self._awaited = None
        if self._awaited is not None:
            near = [box for box, _ in look_near(frame, self._awaited.box)]
            found = most_prominent(near, frame) if near else None
        else:
            faces = quick_look(frame)
            if not faces and (new_shot or self._index % self._survey_interval == 0):
                faces = careful_look(frame)
            found = most_prominent([box for box, _ in faces], frame) if faces else None
        sighting = self._look_at(frame, found, begins=True) if found is not None else None
        if sighting is None or not sighting.confirmed:
            return None
        awaited = self._awaited
        if awaited is None or is_cut(change, alike(sighting.patch, awaited.patch)):
            self.cuts.append(self._index)
        return sighting

    def _look_at(self, frame: NDArray[np.uint8], box: Box, roll: float = 0.0, begins: bool = False) -> Sighting | None:
        """Read the face expected in ``box``; None if what is read there is no whole face."""
        close_up = take_close_up(frame, box, roll)
        expected = close_up.inward(box)
        detected = [
            (close_up.enlarged(face), score) for face, score in detect_faces(close_up.reduced(), CONFIRMING_SCORE)
        ]
        best, score = max(detected, key=lambda face: overlap(face[0], expected), default=(expected, CONFIRMING_SCORE))
        confirmed = bool(detected) and overlap(best, expected) >= SAME_FACE
        start = best if confirmed and overlap(best, expected) < CLOSE else expected
        points = predict_landmarks(close_up.picture, start)
        read = box_around(points)
        outward = close_up.outward(read)
        if overlap(read, start) < CLOSE or share_inside(outward, frame) < WHOLE:
            return None
        return Sighting(
            index=self._index,
            close_up=close_up,
            box=outward,
            roll=lean(close_up.outward_points(points)),
            score=score if confirmed else CONFIRMING_SCORE,
            confirmed=confirmed,
            begins=begins,
            patch=face_patch(close_up, outward),
        )

    def _take(self, sighting: Sighting | None) -> list[Sighting]:
        """Return what has become certain."""
        self._current = sighting
        if sighting is None:
            return []
        self._unconfirmed.append(sighting)
        if sighting.confirmed:
            self._awaited = sighting
            certain, self._unconfirmed = self._unconfirmed, []
            return certain
        if len(self._unconfirmed) > self._longest_unconfirmed:
            self._unconfirmed.clear()
            self._current = None
        return []

    def _survey(self, frame: NDArray[np.uint8], followed: Box) -> None:
        """Count further faces that are at least half as wide as the followed one."""
        faces = look(frame, DETECTOR_WINDOW / (SURVEYED_WIDTH * followed.width), SURE_OF_ANOTHER)
        self.other_faces = max(self.other_faces, sum(overlap(face, followed) < SAME_FACE for face, _ in faces))
