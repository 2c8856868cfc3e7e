"""A first look at what came back: by how many frames it is moved, where it lies, and what of the face has changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.lower_face.blending import FACE_SIDE, FaceRegion, colour_correction, lower_face_mask
from heygem_pipeline.lipsync.program.colour_match import Colours, ComparedPicture, match_colours, with_colours
from heygem_pipeline.lipsync.program.pieces import Piece
from heygem_pipeline.lipsync.program.returned_video import Matrix, ReturnedVideo, place_in_returned, region_of
from heygem_pipeline.media.frame import Frame

FRAMES_KEPT = 250
"""Faces of so many frames are kept small, to be compared with what comes back."""

PICTURES_KEPT = (0, 6, 12)
"""Whole pictures of these frames are kept."""

MOST_FRAMES_MOVED = 3

EYES_SHARE = 0.5
"""Of the box's height: above it no program draws."""

MOVED_SURELY = 0.8
"""A moved video must be so much more like than one that is not."""

UNCHANGED, CHANGED = 6.0, 12.0
"""Levels of difference between the faces, colours matched: encoding alone made up to 5, a painted mouth 140."""

CHANGED_MARGIN = 9
"""Pixels of the small face around what has changed, for a mask that fades."""

Box = tuple[int, int, int, int]


@dataclass
class HandedOver:
    """What is kept of the frames that were handed over."""

    boxes: list[Box] = field(default_factory=list)
    faces: list[FaceRegion] = field(default_factory=list)
    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    def note(self, frame: Frame, box: Box, landmarks: NDArray[np.floating]) -> None:
        """Keep what is needed of the next frame."""
        number = len(self.boxes)
        if number >= FRAMES_KEPT:
            return
        region = FaceRegion(frame.part(*box), landmarks - np.array(box[:2]))
        self.boxes.append(box)
        self.faces.append(FaceRegion(region.network_face, region.network_landmarks))
        if number in PICTURES_KEPT:
            self.pictures[number] = frame.whole().copy()


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        moved: frames by which the returned pictures come later than those handed over.
        place: from pixels handed over to pixels returned.
        changed: float32 (96, 96), 0..1, what of the face's box differs.
        colours: what brings the program's colours back.
    """

    moved: int
    place: Matrix
    changed: NDArray[np.float32]
    colours: Colours


def survey(returned: ReturnedVideo, handed: HandedOver, piece: Piece, program: str) -> Survey:
    """Look at the first frames. Raises ProgramFailed where they show something else than what was handed over."""
    frames = returned.frames()
    corners = np.array(handed.boxes[0], np.float64).reshape(2, 2)
    seen = []
    beginning = list(islice(frames, max(PICTURES_KEPT) + 1))
    pairs = [(own, beginning[number]) for number, own in handed.pictures.items() if number < len(beginning)]
    place = place_in_returned([(_grey(own), _grey(seen)) for own, seen in pairs], corners, program)
    colours = match_colours([_compared(own, seen, place) for own, seen in pairs])
    for number, frame in enumerate(_chained(beginning, frames)):
        if number == len(handed.boxes):
            break
        region = region_of(frame, handed.boxes[number], place)
        seen.append(FaceRegion(region, handed.faces[number].landmarks).network_face)
    own = [face.pixels for face in handed.faces]
    moved = _moved(own, seen)
    numbers = [number for number in range(min(piece.frames, len(own))) if 0 <= number + moved < len(seen)]
    changed = _changed([(handed.faces[number], with_colours(seen[number + moved], colours)) for number in numbers])
    return Survey(moved, place, changed, colours)


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _compared(own: NDArray[np.uint8], seen: NDArray[np.uint8], place: Matrix) -> ComparedPicture:
    whole = (0, 0, own.shape[1], own.shape[0])
    shown = region_of(seen, whole, place)
    # What the program has cut off is no colour of its own.
    columns, rows = np.meshgrid(np.arange(whole[2]), np.arange(whole[3]))
    x = place[0, 0] * columns + place[0, 1] * rows + place[0, 2]
    y = place[1, 0] * columns + place[1, 1] * rows + place[1, 2]
    valid = (x >= 0) & (y >= 0) & (x <= seen.shape[1] - 1) & (y <= seen.shape[0] - 1)
    return ComparedPicture(own, shown, valid)


def _chained(beginning: list[NDArray[np.uint8]], rest: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    while beginning:
        yield beginning.pop(0)
    yield from rest


def _moved(own: Sequence[NDArray[np.uint8]], seen: Sequence[NDArray[np.uint8]]) -> int:
    """By how many frames the second is later, as the upper half of the faces says; 0 where they do not say."""
    rows = slice(0, int(EYES_SHARE * FACE_SIDE))
    one, other = (np.array([face[rows].mean(axis=2) for face in faces], np.float32) for faces in (own, seen))
    differences = {}
    for moved in range(-MOST_FRAMES_MOVED, MOST_FRAMES_MOVED + 1):
        here = one[max(0, -moved) : len(other) - moved]
        there = other[max(0, moved) : max(0, moved) + len(here)]
        here = here[: len(there)]
        if len(here) > 2 * MOST_FRAMES_MOVED:
            difference = here - there
            differences[moved] = float((difference - difference.mean(axis=(1, 2), keepdims=True)).std())
    if not differences:
        return 0
    best = min(differences, key=lambda moved: differences[moved])
    return best if differences[best] < MOVED_SURELY * differences[0] else 0


def _changed(pairs: Sequence[tuple[FaceRegion, NDArray[np.float32]]]) -> NDArray[np.float32]:
    """What of the face's box differs between the presenter's frames and those that came back."""
    import cv2

    differences = []
    for own, drawn in pairs:
        mask = lower_face_mask(own.landmarks)
        if not mask.any():
            continue
        difference = np.abs(drawn + colour_correction(own.pixels, drawn, mask) - own.pixels).mean(axis=2)
        differences.append(cv2.GaussianBlur(difference, (0, 0), 1.5))
    if not differences:
        return np.zeros((FACE_SIDE, FACE_SIDE), np.float32)
    most = np.percentile(np.array(differences), 95, axis=0)
    spread = cv2.dilate(most.astype(np.float32), np.ones((CHANGED_MARGIN, CHANGED_MARGIN), np.uint8))
    steep = smoothstep(UNCHANGED, CHANGED, np.asarray(spread, np.float32)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(steep, (0, 0), 3.0), np.float32)
