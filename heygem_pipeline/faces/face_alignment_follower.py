"""Which of the faces that a detector found in every frame the tracker face_alignment follows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, FacePlace, intersection_over_union, most_prominent, share_inside
from heygem_pipeline.faces.mesh_follower import (
    LEAST_SHARE_INSIDE,
    OTHER_FACE_WIDTH,
    SAME_FACE_OVERLAP,
    SECONDS_BETWEEN_SURVEYS,
    SECONDS_WAITING,
)
from heygem_pipeline.faces.shot_detection import CUT_CHANGE, face_patch, is_cut, patch_correlation, thumbnail

NEW_FACE_SCORE = 0.8
"""Score (0..1) from which a face counts that nobody waits for, and a further one; the followed one needs 0.5."""
LARGEST_MOVE = 1.0
"""How far the followed face may have gone since it was last seen, in its widths."""
LARGEST_GROWTH = 1.6


class SelectedFace(NamedTuple):
    """The followed face in one frame.

    Attributes:
        begins: nothing before it belongs to the same run of frames.
    """

    box: Box
    score: float
    begins: bool


class _Seen(NamedTuple):
    frame: int
    box: Box
    patch: NDArray[np.float32]


class FaceSelector:
    """Follows the most prominent face of the first frame that shows any, and anew after every cut.

    A lost face is awaited near its place for two seconds before another is taken: the rules of FaceFollower.
    """

    def __init__(self, frame_rate: float, place: FacePlace | None = None) -> None:
        """Begin. place: take the face nearest to it, instead of the most prominent one."""
        self._place = place
        self._longest_wait = round(SECONDS_WAITING * frame_rate)
        self._survey_interval = max(1, round(SECONDS_BETWEEN_SURVEYS * frame_rate))
        self._index = -1
        self._thumbnail: NDArray[np.float32] | None = None
        self._last: _Seen | None = None
        self._beginnings: list[int] = []
        self.other_faces = 0

    @property
    def cuts(self) -> tuple[int, ...]:
        """Frames at which another shot, or another face, begins."""
        return tuple(self._beginnings[1:])

    def update(self, frame: NDArray[np.uint8], faces: Sequence[tuple[Box, float]]) -> SelectedFace | None:
        """Take the next BGR frame and the (box, score) of all faces in it; return the followed one."""
        self._index += 1
        before, self._thumbnail = self._thumbnail, thumbnail(frame)
        change = 0.0 if before is None else float(np.abs(self._thumbnail - before).mean())
        whole = [(box, score) for box, score in faces if share_inside(box, frame) >= LEAST_SHARE_INSIDE]
        found = self._match_followed(frame, whole, change) or self._select_new(frame, whole, change)
        if found is not None and self._index % self._survey_interval == 0:
            others = [
                box
                for box, score in whole
                if score >= NEW_FACE_SCORE and box.width >= OTHER_FACE_WIDTH * found.box.width
            ]
            self.other_faces = max(
                self.other_faces, sum(intersection_over_union(box, found.box) < SAME_FACE_OVERLAP for box in others)
            )
        return found

    def _match_followed(
        self, frame: NDArray[np.uint8], faces: list[tuple[Box, float]], change: float
    ) -> SelectedFace | None:
        """The face that was followed; None if it is not there, or another one is in its place."""
        last = self._last
        near = [(box, score) for box, score in faces if last is not None and _is_plausible(box, last.box)]
        if last is None or not near:
            return None
        box, score = min(near, key=lambda face: _distance(face[0], last.box))
        patch = face_patch(frame, box)
        if is_cut(
            change,
            max(patch_correlation(patch, last.patch), patch_correlation(face_patch(frame, last.box), last.patch)),
        ):
            self._last = None
            return None
        return self._keep(box, score, patch, begins=last.frame != self._index - 1)

    def _select_new(
        self, frame: NDArray[np.uint8], faces: list[tuple[Box, float]], change: float
    ) -> SelectedFace | None:
        """Any face, where none is waited for."""
        if self._last is not None and (change > CUT_CHANGE or self._index - self._last.frame > self._longest_wait):
            self._last = None
        sure = {box: score for box, score in faces if score >= NEW_FACE_SCORE}
        if self._last is not None or not sure:
            return None
        place = self._place
        if place is None:
            box = most_prominent(list(sure), frame)
        else:
            box = min(sure, key=lambda one: place.distance(one, frame))
        self._beginnings.append(self._index)
        return self._keep(box, sure[box], face_patch(frame, box), begins=True)

    def _keep(self, box: Box, score: float, patch: NDArray[np.float32], begins: bool) -> SelectedFace:
        self._last = _Seen(self._index, box, patch)
        return SelectedFace(box, score, begins)


def _distance(box: Box, other: Box) -> float:
    (x, y), (other_x, other_y) = box.centre, other.centre
    return float(np.hypot(x - other_x, y - other_y))


def _is_plausible(box: Box, last: Box) -> bool:
    growth = box.width / last.width
    return _distance(box, last) < LARGEST_MOVE * last.width and 1 / LARGEST_GROWTH < growth < LARGEST_GROWTH
