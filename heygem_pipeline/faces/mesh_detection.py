"""Looking for faces in whole frames: small ones through windows, and those that lie on their side or upside down."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, intersection_over_union, square_box
from heygem_pipeline.faces.mesh_networks import DETECTOR_SIDE, MeshNetworks
from heygem_pipeline.faces.mesh_reader import LEAST_PRESENCE, read_unread_face

LEAST_SCORE = 0.5
"""MediaPipe's own threshold."""
SMALLEST_FACE = 64
"""Pixels. A narrower face is too small to be given a mouth."""
SMALLEST_SHARE = 0.2
"""Of a window's side: the detector misses narrower faces."""
SAME_FACE_OVERLAP = 0.3
"""Detections that overlap so far are one face (MediaPipe's threshold)."""
TURNED_LEVELS = 3
"""Of the largest windows, which are looked through for turned faces too."""


class Window(NamedTuple):
    """A square of a frame, pixels; it may reach beyond the frame."""

    left: float
    top: float
    side: float


@dataclass(frozen=True)
class Detection:
    """A face found in a frame.

    Attributes:
        box: pixels.
        lean: degrees by which it leans clockwise.
        score: 0 to 1.
    """

    box: Box
    lean: float
    score: float


def detect_faces(networks: MeshNetworks, frame: NDArray[np.uint8], turned: bool = False) -> list[Detection]:
    """Return the faces of a BGR frame, best first: those of the largest windows that show any, and half as large ones.

    Only what can be read as a face counts: a lamp that the detector takes for one must not end the search.

    Args:
        turned: also faces that lie on their side or upside down, where none stands upright.
    """
    found: list[Detection] = []
    for level, windows in enumerate(_levels(frame)):
        last = bool(found)
        found += _readable(networks, frame, _detect(networks, frame, windows, (0,)))
        if not found and turned and level < TURNED_LEVELS:
            found += _readable(networks, frame, _detect(networks, frame, windows, (1, 2, 3)))
        if last:
            break
    faces = [_as_it_lies(networks, frame, face) for face in _distinct(found)]
    return _distinct([face for face in faces if face.box.width >= SMALLEST_FACE / 2])


def detect_large_faces(networks: MeshNetworks, frame: NDArray[np.uint8]) -> list[Detection]:
    """Return the faces of a BGR frame that are wider than a fifth of its longer side."""
    return _distinct(_detect(networks, frame, next(_levels(frame)), (0,)))


def detect_near(networks: MeshNetworks, frame: NDArray[np.uint8], box: Box, lean: float) -> list[Detection]:
    """Return faces about as large as ``box`` within two of its widths around its centre."""
    x, y = box.centre
    windows = [_window(x + dx * box.width, y + dy * box.width, 3 * box.width) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    return _distinct(_detect(networks, frame, windows, (_quarter_turns(lean),)))


def detect_others(networks: MeshNetworks, frame: NDArray[np.uint8], box: Box, least: float) -> list[Detection]:
    """Return what may be faces at least ``least`` times as wide as ``box`` that are not in its place."""
    sides = _tiles(frame, min(least * box.width / SMALLEST_SHARE, max(frame.shape[:2])))
    faces = _distinct(_detect(networks, frame, sides, (0,)))
    return [
        face
        for face in faces
        if face.box.width >= least * box.width and intersection_over_union(face.box, box) < SAME_FACE_OVERLAP
    ]


def _levels(frame: NDArray[np.uint8]) -> Iterator[list[Window]]:
    """Yield windows over the whole frame, then overlapping ones of half the side, and so on to the smallest face."""
    height, width = frame.shape[:2]
    side = float(max(height, width))
    yield [_window(width / 2, height / 2, side)]
    while side > SMALLEST_FACE / SMALLEST_SHARE:
        side = max(side / 2, SMALLEST_FACE / SMALLEST_SHARE)
        yield _tiles(frame, side)


def _tiles(frame: NDArray[np.uint8], side: float) -> list[Window]:
    """Cover a frame with windows that overlap by half."""
    places = [
        np.linspace(0, max(0, length - side), max(1, int(np.ceil(2 * length / side)) - 1)) for length in frame.shape[:2]
    ]
    return [Window(float(left), float(top), side) for top in places[0] for left in places[1]]


def _window(x: float, y: float, side: float) -> Window:
    return Window(x - side / 2, y - side / 2, side)


def _detect(
    networks: MeshNetworks, frame: NDArray[np.uint8], windows: Iterable[Window], turns: Iterable[int]
) -> list[Detection]:
    """Look through windows, each turned counter-clockwise by so many quarters."""
    found = []
    for window in windows:
        picture = _cut(frame, window)
        for turn in turns:
            answer = networks.detect(np.ascontiguousarray(np.rot90(picture, turn)), LEAST_SCORE)
            for score, centre, size, keypoints in zip(*answer, strict=True):
                corner = np.array([window.left, window.top])
                places = _turned_back(np.concatenate([centre[None], keypoints]), turn) * window.side + corner
                across = places[2] - places[1]
                lean = float(np.degrees(np.arctan2(across[1], across[0])))
                box = square_box(float(places[0, 0]), float(places[0, 1]), float(size.max()) * window.side)
                found.append(Detection(box, lean, float(score)))
    return found


def _turned_back(places: NDArray[np.float64], turn: int) -> NDArray[np.float64]:
    """Places (n, 2), shares of a picture's side, in the picture before it was turned counter-clockwise."""
    for _ in range(turn):
        places = np.stack([1 - places[:, 1], places[:, 0]], axis=1)
    return places


def _cut(frame: NDArray[np.uint8], window: Window) -> NDArray[np.uint8]:
    """Return a window as uint8 (128, 128, 3); what lies outside the frame is black."""
    import cv2

    height, width = frame.shape[:2]
    left, top, side = round(window.left), round(window.top), max(2, round(window.side))
    inside = frame[max(0, top) : max(0, min(height, top + side)), max(0, left) : max(0, min(width, left + side))]
    cut = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.uint8)
    if not inside.size:
        return cut
    scale = DETECTOR_SIDE / side
    row, column = round(max(0, -top) * scale), round(max(0, -left) * scale)
    rows = min(max(1, round(inside.shape[0] * scale)), DETECTOR_SIDE - row)
    columns = min(max(1, round(inside.shape[1] * scale)), DETECTOR_SIDE - column)
    if rows > 0 and columns > 0:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        cut[row : row + rows, column : column + columns] = cv2.resize(inside, (columns, rows), interpolation=method)
    return cut


def _quarter_turns(lean: float) -> int:
    """How often a face that leans so many degrees clockwise must be turned counter-clockwise to stand upright."""
    return round(lean / 90) % 4


def _readable(networks: MeshNetworks, frame: NDArray[np.uint8], found: list[Detection]) -> list[Detection]:
    """Return those, joined where they overlap, in which the points of a face can be read."""
    faces = []
    for face in _distinct(found):
        reading = read_unread_face(networks, frame, face.box, face.lean)
        if reading is not None and reading.presence >= LEAST_PRESENCE:
            faces.append(face)
    return faces


def _as_it_lies(networks: MeshNetworks, frame: NDArray[np.uint8], face: Detection) -> Detection:
    """Look at a face from all four sides and return what is surest: upside down, a chin can pass for a forehead."""
    x, y = face.box.centre
    around = _detect(networks, frame, [_window(x, y, 2 * face.box.width)], range(4))
    same = [one for one in around if intersection_over_union(one.box, face.box) >= SAME_FACE_OVERLAP]
    return max([face, *same], key=lambda one: one.score)


def _distinct(found: list[Detection]) -> list[Detection]:
    """Join overlapping detections, each group to its mean weighted by score; best first."""
    rest = sorted(found, key=lambda face: -face.score)
    distinct = []
    while rest:
        best = rest[0]
        group = [face for face in rest if intersection_over_union(face.box, best.box) >= SAME_FACE_OVERLAP]
        rest = [face for face in rest if face not in group]
        box = Box(*np.average([face.box for face in group], axis=0, weights=[face.score for face in group]).tolist())
        distinct.append(Detection(box, best.lean, best.score))
    return distinct
