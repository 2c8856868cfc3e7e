"""The default tracker: dlib's frontal detector and 68-point predictor, on the CPU, at about 100 frames a second.

The predictor was trained on iBUG 300-W, whose terms exclude commercial use.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, box_around, most_prominent, overlap
from heygem_pipeline.faces.close_up import CloseUp, grey, take_close_up
from heygem_pipeline.faces.dlib_models import (
    DETECTOR_WINDOW,
    detect_faces,
    frontal_face_detector,
    landmark_predictor,
    predict_landmarks,
)
from heygem_pipeline.faces.reading import read_close_up
from heygem_pipeline.faces.tracker import FollowedFace

SMALLEST_FACE = 64
COARSE_SIDE = 640
COARSE_THRESHOLD = 0.0
CLOSE_UP_THRESHOLD = -0.3
SAME_FACE_OVERLAP = 0.3
UNSURE_SECONDS = 0.5
SURVEY_SECONDS = 1.0
BOX_SIGMA = 2.0
BOX_REACH = 6


@dataclass
class _Sighting:
    """What following knows of one frame before its box is smoothed."""

    index: int
    close_up: CloseUp
    box: Box
    score: float


class DlibTracker:
    """Follows the largest, most central face at the start of each shot by overlap of its box."""

    name = "dlib"
    version = "1"

    def track(
        self,
        frames: Iterable[NDArray[np.uint8]],
        frame_rate: Fraction,
        progress: Callable[[int], None] | None = None,
    ) -> FollowedFace:
        """See FaceTracker.track."""
        landmark_predictor()
        frontal_face_detector()
        following = _Following(float(frame_rate))
        count = 0
        for frame in frames:
            following.see(grey(frame))
            count += 1
            if progress is not None:
                progress(count)
        return following.finish()


class _Following:
    """The state of following one face through a clip."""

    def __init__(self, frame_rate: float) -> None:
        self.unsure_limit = max(2, round(UNSURE_SECONDS * frame_rate))
        self.survey_every = max(1, round(SURVEY_SECONDS * frame_rate))
        self.index = -1
        self.box: Box | None = None
        self.unsure = 0
        self.sightings: deque[_Sighting] = deque()
        self.read = 0
        self.boxes: list[NDArray[np.float32] | None] = []
        self.landmarks: list[NDArray[np.float32] | None] = []
        self.scores: list[float] = []
        self.cuts: list[int] = []
        self.other_faces = 0
        self.last_fine = -(10**9)
        self.ever_seen = False

    def see(self, picture: NDArray[np.uint8]) -> None:
        self.index += 1
        self.boxes.append(None)
        self.landmarks.append(None)
        self.scores.append(np.nan)
        if self.index % self.survey_every == 0:
            self._survey(picture)
        if self.box is not None and not self._follow(picture, self.box):
            self._lose()
        if self.box is None:
            self._search(picture)
        self._read_ready(final=False)

    def finish(self) -> FollowedFace:
        self._lose()
        count = len(self.boxes)
        boxes = np.full((count, 4), np.nan, np.float32)
        landmarks = np.full((count, 68, 2), np.nan, np.float32)
        for i, (box, points) in enumerate(zip(self.boxes, self.landmarks, strict=True)):
            if box is not None and points is not None:
                boxes[i], landmarks[i] = box, points
        scores = np.where(np.isnan(boxes[:, 0]), np.nan, self.scores).astype(np.float32)
        return FollowedFace(boxes, landmarks, scores, tuple(self.cuts), self.other_faces)

    def _survey(self, picture: NDArray[np.uint8]) -> None:
        """Count the faces of the whole frame."""
        self.other_faces = max(self.other_faces, len(_detect_coarse(picture)) - 1)

    def _search(self, picture: NDArray[np.uint8]) -> None:
        faces = _detect_coarse(picture)
        if not faces and self.index - self.last_fine >= self.survey_every:
            self.last_fine = self.index
            faces = _detect_fine(picture)
        if not faces:
            return
        height, width = picture.shape
        box = most_prominent([face for face, _ in faces], (width, height))
        self.box = box
        if self._follow(picture, box):
            if self.ever_seen:
                self.cuts.append(self.index)
            self.ever_seen = True
        else:
            self.box = None

    def _follow(self, picture: NDArray[np.uint8], box: Box) -> bool:
        close_up = take_close_up(picture, box)
        expected = close_up.inward(box)
        hits = [
            face
            for face in detect_faces(close_up.reduced(), CLOSE_UP_THRESHOLD)
            if overlap(close_up.enlarged(face[0]), expected) >= SAME_FACE_OVERLAP
        ]
        start = expected
        if hits:
            self.unsure = 0
            score = hits[0][1]
            hit = close_up.enlarged(hits[0][0])
            if overlap(hit, expected) < 0.6:
                start = hit
        else:
            self.unsure += 1
            score = np.nan
            if self.unsure > self.unsure_limit:
                return False
        points = predict_landmarks(close_up.picture, start)
        seen = box_around(points)
        if overlap(seen, start) < 0.5:
            return False
        self.box = close_up.outward(seen)
        if not _inside(close_up.outward_points(points), picture.shape):
            return False
        self.sightings.append(_Sighting(self.index, close_up, self.box, score))
        return True

    def _lose(self) -> None:
        """Stop following; the unsure frames at the end were no face."""
        while self.sightings and np.isnan(self.sightings[-1].score) and self.unsure > 0:
            self.sightings.pop()
            self.unsure -= 1
        self._read_ready(final=True)
        self.sightings.clear()
        self.read = 0
        self.box = None
        self.unsure = 0

    def _read_ready(self, final: bool) -> None:
        """Read the landmarks of all frames whose smoothed box is known."""
        reach = BOX_REACH
        wait = 0 if final else max(reach, self.unsure + 0)
        while self.read < len(self.sightings) - wait:
            self._read_one(self.read)
            self.read += 1
            while self.read > reach:
                self.sightings.popleft()
                self.read -= 1

    def _read_one(self, position: int) -> None:
        now = self.sightings[position]
        near = list(self.sightings)[max(0, position - BOX_REACH) : position + BOX_REACH + 1]
        weights = np.exp([-((other.index - now.index) ** 2) / (2 * BOX_SIGMA**2) for other in near])
        box = Box(*np.average(np.array([other.box for other in near]), axis=0, weights=weights))
        self.boxes[now.index] = np.array(box, np.float32)
        self.landmarks[now.index] = read_close_up(now.close_up, box)
        self.scores[now.index] = now.score


def _inside(points: NDArray[np.float64], shape: tuple[int, ...]) -> bool:
    """Whether the eyes and the mouth lie inside the frame."""
    inner = points[36:]
    return bool((inner >= 0).all() and (inner[:, 0] < shape[1]).all() and (inner[:, 1] < shape[0]).all())


def _detect_coarse(picture: NDArray[np.uint8]) -> list[tuple[Box, float]]:
    return _detect_scaled(picture, min(DETECTOR_WINDOW / SMALLEST_FACE, COARSE_SIDE / max(picture.shape)))


def _detect_fine(picture: NDArray[np.uint8]) -> list[tuple[Box, float]]:
    return _detect_scaled(picture, DETECTOR_WINDOW / SMALLEST_FACE)


def _detect_scaled(picture: NDArray[np.uint8], scale: float) -> list[tuple[Box, float]]:
    import cv2

    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return [
        (box.scaled(1 / scale), score) for box, score in detect_faces(np.asarray(scaled, np.uint8), COARSE_THRESHOLD)
    ]
