"""The default tracker: MediaPipe's face mesh, at about 100 frames a second."""

from collections.abc import Callable, Iterable
from contextlib import closing
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.box_smoothing import smooth_boxes
from heygem_pipeline.faces.boxes import Box, FacePlace
from heygem_pipeline.faces.mesh_follower import FaceFollower, FaceObservation, count_others
from heygem_pipeline.faces.mesh_networks import MeshNetworks
from heygem_pipeline.faces.mesh_points import LIP_LINES, MOUTH_BLENDSHAPES
from heygem_pipeline.faces.mouth_cover import colours_of_skin
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch
from heygem_pipeline.settings import NetworkSettings


class _Row(NamedTuple):
    """What is kept of a frame: float32 (68, 2), (4, 11, 2), (16,) and (3, 2), and how surely a face is there."""

    frame: int
    box: Box
    landmarks: NDArray[np.float32]
    lips: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
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
        """See FaceTracker.track. Holds a few frames."""
        follower = FaceFollower(MeshNetworks(), float(frame_rate), self._place)
        networks = MeshNetworks()
        rows: list[_Row] = []
        count = others = 0
        # What no later frame is read by is computed here, while the next frames are read.
        with closing(prefetch(map(follower.update, frames), FRAMES_AHEAD)) as followed:
            for count, certain in enumerate(followed, start=1):
                for one in certain:
                    rows.append(_row(networks, one))
                    if one.surveyed is not None:
                        others = max(others, count_others(networks, one.surveyed, one.box))
                if progress is not None:
                    progress(count)
        rows += [_row(networks, one) for one in follower.end()]
        return _followed(rows, count, follower.cuts, max(others, follower.rivals))


def tracker_of(_networks: NetworkSettings) -> MeshTracker:
    """The tracker as the entry point ``mesh`` makes it."""
    return MeshTracker()


def _row(networks: MeshNetworks, one: FaceObservation) -> _Row:
    reading = one.reading
    landmarks, lips = reading.landmarks.astype(np.float32), reading.lips.astype(np.float32)
    blendshapes = networks.mouth_blendshapes(reading.points)
    return _Row(one.index, one.box, landmarks, lips, blendshapes, colours_of_skin(one.skin), reading.presence)


def _followed(rows: list[_Row], count: int, cuts: tuple[int, ...], other_faces: int) -> FollowedFace:
    boxes = np.full((count, 4), np.nan, np.float32)
    landmarks = np.full((count, 68, 2), np.nan, np.float32)
    lips = np.full((count, *LIP_LINES.shape, 2), np.nan, np.float32)
    blendshapes = np.full((count, len(MOUTH_BLENDSHAPES)), np.nan, np.float32)
    colours = np.full((count, 3, 2), np.nan, np.float32)
    score = np.full(count, np.nan, np.float32)
    for row in rows:
        boxes[row.frame], landmarks[row.frame], lips[row.frame] = row.box, row.landmarks, row.lips
        blendshapes[row.frame], colours[row.frame], score[row.frame] = row.blendshapes, row.colours, row.score
    return FollowedFace(
        smooth_boxes(boxes, cuts),
        landmarks,
        score,
        cuts,
        other_faces,
        lips,
        blendshapes,
        colours,
    )
