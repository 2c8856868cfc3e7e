"""The default tracker: MediaPipe's face mesh, on one core, at about 70 frames a second."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.box_smoothing import smooth_boxes
from heygem_pipeline.faces.boxes import Box, FacePlace
from heygem_pipeline.faces.face_follower import FaceFollower, FaceObservation
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_points import LIP_LINES, MOUTH_BLENDSHAPES
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.settings import NetworkSettings

BLENDSHAPES_AT_ONCE = 16
"""Faces whose blendshapes are read together."""


class _Row(NamedTuple):
    """What is kept of a frame: float32 (68, 2), (4, 11, 2) and (3, 2), and how surely a face is there."""

    frame: int
    box: Box
    landmarks: NDArray[np.float32]
    lips: NDArray[np.float32]
    colours: NDArray[np.float32]
    score: float


class MeshTracker:
    """Reads each frame where the face was in the one before."""

    name = "mesh"
    version = "1"

    def __init__(self, place: FacePlace | None = None) -> None:
        """Follow the face nearest to a place, or the one that is most likely to be the presenter's."""
        self._place = place
        if place is not None:
            self.version = f"{type(self).version} {place}"

    def at(self, place: FacePlace) -> "MeshTracker":
        """See ChoosingTracker."""
        return MeshTracker(place)

    def track(
        self,
        frames: Iterable[NDArray[np.uint8]],
        frame_rate: Fraction,
        progress: Callable[[int], None] | None = None,
    ) -> FollowedFace:
        """See FaceTracker.track. Holds one frame."""
        networks = MeshNetworks()
        follower = FaceFollower(networks, float(frame_rate), self._place)
        rows: list[_Row] = []
        count = 0
        with _Blendshapes(networks) as blendshapes:
            for count, frame in enumerate(frames, start=1):
                for one in follower.update(frame):
                    rows.append(_row(one))
                    blendshapes.read(one.reading.points)
                if progress is not None:
                    progress(count)
            for one in follower.end():
                rows.append(_row(one))
                blendshapes.read(one.reading.points)
            return _followed(rows, blendshapes.all(), count, follower)


class _Blendshapes:
    """Reads the blendshapes of face after face, in another thread: the next frame waits for points alone."""

    def __init__(self, networks: MeshNetworks) -> None:
        self._networks = networks
        self._reader = ThreadPoolExecutor(1)
        self._points: list[NDArray[np.float64]] = []
        self._found: list[Future[NDArray[np.float32]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown(cancel_futures=True)

    def read(self, points: NDArray[np.float64]) -> None:
        """Take the points of the next face."""
        self._points.append(points)
        if len(self._points) == BLENDSHAPES_AT_ONCE:
            self._begin()

    def all(self) -> NDArray[np.float32]:
        """Return those of every face, (faces, 16)."""
        if self._points:
            self._begin()
        found = [future.result() for future in self._found]
        return np.concatenate(found) if found else np.empty((0, len(MOUTH_BLENDSHAPES)), np.float32)

    def _begin(self) -> None:
        points, self._points = np.stack(self._points), []
        self._found.append(self._reader.submit(self._networks.mouth_blendshapes, points))


def tracker_of(_networks: NetworkSettings) -> MeshTracker:
    """The tracker as the entry point ``mesh`` makes it."""
    return MeshTracker()


def _row(one: FaceObservation) -> _Row:
    reading = one.reading
    landmarks, lips = reading.landmarks.astype(np.float32), reading.lips.astype(np.float32)
    return _Row(one.index, one.box, landmarks, lips, one.colours, reading.presence)


def _followed(
    rows: list[_Row], blendshapes_of_rows: NDArray[np.float32], count: int, follower: FaceFollower
) -> FollowedFace:
    boxes = np.full((count, 4), np.nan, np.float32)
    landmarks = np.full((count, 68, 2), np.nan, np.float32)
    lips = np.full((count, *LIP_LINES.shape, 2), np.nan, np.float32)
    blendshapes = np.full((count, len(MOUTH_BLENDSHAPES)), np.nan, np.float32)
    colours = np.full((count, 3, 2), np.nan, np.float32)
    score = np.full(count, np.nan, np.float32)
    for row, shapes in zip(rows, blendshapes_of_rows, strict=True):
        boxes[row.frame], landmarks[row.frame], lips[row.frame] = row.box, row.landmarks, row.lips
        blendshapes[row.frame], colours[row.frame], score[row.frame] = shapes, row.colours, row.score
    return FollowedFace(
        smooth_boxes(boxes, follower.cuts),
        landmarks,
        score,
        follower.cuts,
        follower.other_faces,
        lips,
        blendshapes,
        colours,
    )
