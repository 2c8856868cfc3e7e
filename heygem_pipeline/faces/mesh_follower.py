"""Which face is followed, and where it is in the next frame."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, FacePlace, intersection_over_union, prominence, share_inside
from heygem_pipeline.faces.mesh_detection import (
    SAME_FACE_OVERLAP,
    Detection,
    detect_faces,
    detect_large_faces,
    detect_near,
    detect_others,
)
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_reader import LEAST_PRESENCE, MeshReading, read_face, read_unread_face
from heygem_pipeline.faces.mouth_cover import skin_of_face
from heygem_pipeline.faces.pose import head_pose
from heygem_pipeline.faces.shot_detection import CUT_CHANGE, face_patch, is_cut, patch_correlation, thumbnail

LEAST_SHARE_INSIDE = 0.8
"""Share of the face's box that must lie inside the frame."""
SECONDS_WAITING = 2.0
SECONDS_BETWEEN_SURVEYS = 1.0
SECONDS_OF_CHOICE = 1.5
"""How long several faces of one shot are all followed before one of them is chosen."""
OTHER_FACE_WIDTH = 0.5
"""Further faces count when they are at least this wide, in widths of the followed one."""
MOST_CANDIDATES = 4
LIVING_MOTION = 0.006
"""IOD: what the points of a living face move against its own frame within SECONDS_OF_CHOICE. Chosen between the two
faces of one clip: a still picture moved by .0006, the speaker beside it by .015."""
FRONTAL_YAW = 35.0
"""Degrees: a face turned less is chosen before one turned further."""


@dataclass(frozen=True)
class FaceObservation:
    """The followed face in one frame.

    Attributes:
        patch: see face_patch.
        skin: see skin_of_face.
        surveyed: the frame, where it is to be looked through for further faces.
    """

    index: int
    reading: MeshReading
    box: Box
    patch: NDArray[np.float32]
    skin: NDArray[np.uint8]
    surveyed: NDArray[np.uint8] | None = None


@dataclass
class _Candidate:
    """A face that may be the one to follow."""

    seen: list[FaceObservation] = field(default_factory=list)

    @property
    def last(self) -> FaceObservation:
        return self.seen[-1]

    def motion(self) -> float:
        """How far the points move against the face's own frame: mean of their deviations in time, IOD."""
        points = np.stack([one.reading.landmarks[17:] for one in self.seen])
        centred = points - points.mean(axis=1, keepdims=True)
        shape = centred[..., 0] + 1j * centred[..., 1]
        fit = (np.conj(shape) * shape[0]).sum(axis=1) / (np.abs(shape) ** 2).sum(axis=1)
        still = shape * fit[:, None]
        iod = abs(still[0, 19:25].mean() - still[0, 25:31].mean())
        return float(np.hypot(still.real.std(axis=0), still.imag.std(axis=0)).mean() / iod)

    def yaw(self) -> float:
        points = np.stack([one.reading.landmarks for one in self.seen])
        return float(np.median(np.abs(head_pose(points, np.ones(len(points), bool))[:, 0])))


class FaceFollower:
    """Follows one face, and chooses anew after every cut.

    Each frame's face is read where the last one's points were; a detector looks only at the beginning, after cuts and
    when the face is lost. Where a shot begins with several faces, all are followed for a moment: then one that moves is
    taken before a picture on the wall, one that looks this way before one turned away, and the largest and most central
    of what remains. A lost face is awaited near its place for two seconds before another is taken.
    """

    def __init__(self, networks: MeshNetworks, frame_rate: float, place: FacePlace | None = None) -> None:
        """Begin. place: take the face nearest to it, without comparing them."""
        self._place = place
        self._networks = networks
        self._choice_frames = max(2, round(SECONDS_OF_CHOICE * frame_rate))
        self._longest_wait = round(SECONDS_WAITING * frame_rate)
        self._survey_interval = max(1, round(SECONDS_BETWEEN_SURVEYS * frame_rate))
        self._index = -1
        self._thumbnail: NDArray[np.float32] | None = None
        self._current: FaceObservation | None = None
        self._awaited: FaceObservation | None = None
        self._candidates: list[_Candidate] = []
        self._shot_begins = 0
        self._beginnings: list[int] = []
        self.rivals = 0
        """The largest number of further faces with which a shot began."""

    @property
    def cuts(self) -> tuple[int, ...]:
        """Frames at which another shot, or another face, begins."""
        return tuple(self._beginnings[1:])

    def update(self, frame: NDArray[np.uint8]) -> list[FaceObservation]:
        """Take the next BGR frame; return, in order, the observations now certain, perhaps of earlier frames."""
        self._index += 1
        before, self._thumbnail = self._thumbnail, thumbnail(frame)
        change = 0.0 if before is None else float(np.abs(self._thumbnail - before).mean())
        if self._candidates:
            return self._follow_candidates(frame, change)
        return self._update_followed(frame, change)

    def end(self) -> list[FaceObservation]:
        """Return what still waits for a choice when the clip ends."""
        return self._choose() if self._candidates else []

    def _update_followed(self, frame: NDArray[np.uint8], change: float) -> list[FaceObservation]:
        found = self._follow(frame, self._current, change) if self._current is not None else None
        self._current = found
        if found is None:
            return self._search(frame, change)
        self._awaited = found
        return [replace(found, surveyed=frame) if self._index % self._survey_interval == 0 else found]

    def _follow(self, frame: NDArray[np.uint8], last: FaceObservation, change: float) -> FaceObservation | None:
        """Read the face where it was; None if it is there no more or another one is."""
        found = self._observe(frame, read_face(self._networks, frame, last.reading.crop))
        if found is None:
            return None
        if not is_cut(change, patch_correlation(found.patch, last.patch)):
            return found
        unmoved = face_patch(frame, last.box)
        return None if is_cut(change, patch_correlation(unmoved, last.patch)) else found

    def _search(self, frame: NDArray[np.uint8], change: float) -> list[FaceObservation]:
        """Look for the awaited face, or for any."""
        new_shot = self._index == 0 or change > CUT_CHANGE
        awaited = self._awaited
        if awaited is not None and (new_shot or self._index - awaited.index > self._longest_wait):
            awaited = self._awaited = None
        if awaited is not None:
            near = self._read_all(frame, detect_near(self._networks, frame, awaited.box, awaited.reading.crop.lean))
            again = [face for face in near if not is_cut(change, patch_correlation(face.patch, awaited.patch))]
            if again:
                self._current = self._awaited = self._most_prominent(again, frame)
                return [self._current]
            if not near:
                return []
            # Somebody else is in its place.
            self._awaited = None
        thorough = new_shot or self._index % self._survey_interval == 0
        if thorough or awaited is not None:
            detected = detect_faces(self._networks, frame, turned=True)
        else:
            detected = detect_large_faces(self._networks, frame)
        return self._begin(frame, self._read_all(frame, detected))

    def _begin(self, frame: NDArray[np.uint8], faces: list[FaceObservation]) -> list[FaceObservation]:
        """Begin a shot with these faces."""
        if not faces:
            return []
        self._beginnings.append(self._index)
        first = self._most_prominent(faces, frame)
        rivals = [face for face in faces if face.box.width >= OTHER_FACE_WIDTH * first.box.width]
        self.rivals = max(self.rivals, len(rivals) - 1)
        if self._place is not None:
            place = self._place
            first = min(faces, key=lambda face: place.distance(face.box, frame))
        if len(rivals) == 1 or self._place is not None:
            self._current = self._awaited = first
            return [first]
        rivals.sort(key=lambda face: -prominence(face.box, frame))
        self._candidates = [_Candidate([face]) for face in rivals[:MOST_CANDIDATES]]
        self._shot_begins = self._index
        return []

    def _follow_candidates(self, frame: NDArray[np.uint8], change: float) -> list[FaceObservation]:
        lost = []
        for candidate in self._candidates:
            found = self._follow(frame, candidate.last, change) if candidate.last.index == self._index - 1 else None
            if found is None:
                lost.append(candidate)
            else:
                candidate.seen.append(found)
        if len(lost) == len(self._candidates):
            certain = self._choose()
            self._awaited, self._current = (certain[-1], None) if certain else (None, None)
            return certain + self._search(frame, change)
        self._candidates = [candidate for candidate in self._candidates if candidate not in lost]
        if self._index - self._shot_begins + 1 < self._choice_frames:
            return []
        certain = self._choose()
        self._current = self._awaited = certain[-1]
        return certain

    def _choose(self) -> list[FaceObservation]:
        """Decide for one of the candidates; they come ordered by prominence."""
        candidates = self._candidates
        living = [one for one in candidates if one.motion() >= LIVING_MOTION] or candidates
        frontal = [one for one in living if one.yaw() < FRONTAL_YAW] or living
        self._candidates = []
        return frontal[0].seen

    def _read_all(self, frame: NDArray[np.uint8], detected: list[Detection]) -> list[FaceObservation]:
        return [self._observation(frame, reading) for reading in _read_whole(self._networks, frame, detected)]

    def _observe(self, frame: NDArray[np.uint8], reading: MeshReading) -> FaceObservation | None:
        """None where no whole face is in the frame."""
        return self._observation(frame, reading) if _is_whole(frame, reading) else None

    def _observation(self, frame: NDArray[np.uint8], reading: MeshReading) -> FaceObservation:
        box = reading.box
        return FaceObservation(self._index, reading, box, face_patch(frame, box), skin_of_face(frame, reading.points))

    def _most_prominent(self, faces: list[FaceObservation], frame: NDArray[np.uint8]) -> FaceObservation:
        return max(faces, key=lambda face: prominence(face.box, frame))


def count_others(networks: MeshNetworks, frame: NDArray[np.uint8], followed: Box) -> int:
    """Return how many further faces a BGR frame shows that count beside the followed one."""
    # A lamp or a printed shirt can pass for a face with the detector, but not when its points are read too.
    return len(_read_whole(networks, frame, detect_others(networks, frame, followed, OTHER_FACE_WIDTH)))


def _read_whole(networks: MeshNetworks, frame: NDArray[np.uint8], detected: list[Detection]) -> list[MeshReading]:
    """Read the detected faces that lie whole in the frame, each once."""
    found: list[MeshReading] = []
    for face in detected:
        reading = read_unread_face(networks, frame, face.box, face.lean)
        if (
            reading is not None
            and _is_whole(frame, reading)
            and all(intersection_over_union(reading.box, other.box) < SAME_FACE_OVERLAP for other in found)
        ):
            found.append(reading)
    return found


def _is_whole(frame: NDArray[np.uint8], reading: MeshReading) -> bool:
    return reading.presence >= LEAST_PRESENCE and share_inside(reading.box, frame) >= LEAST_SHARE_INSIDE
