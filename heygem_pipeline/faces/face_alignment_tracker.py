"""The tracker ``face_alignment``: S3FD in every frame, FAN on smoothed boxes; in batches, on a GPU if there is one."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.box_smoothing import BoxSmoother, SmoothedBox, smooth_boxes
from heygem_pipeline.faces.boxes import FacePlace, box_around
from heygem_pipeline.faces.face_alignment_follower import FaceSelector
from heygem_pipeline.faces.face_alignment_models import BATCH_FRAMES, FaceAlignmentNetworks, load_networks
from heygem_pipeline.faces.face_crop import FaceCrop, crop_face, points_to_frame
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.settings import NetworkSettings

Frame = NDArray[np.uint8]
_Row = tuple[int, float, NDArray[np.float32]]
"""Frame, score and landmarks (68, 2)."""


class FaceAlignmentTracker:
    """Detects in every frame, chooses whom to follow, and reads the landmarks when the boxes around are known."""

    name = "face_alignment"
    version = "2"

    def __init__(self, networks: NetworkSettings, place: FacePlace | None = None) -> None:
        """Load nothing yet.

        Args:
            networks: where the weights lie, and the device they work on.
            place: of the face to follow; None, the most prominent one.
        """
        self._networks = networks
        self._place = place
        if place is not None:
            self.version = f"{type(self).version} {place}"

    def at(self, place: FacePlace) -> "FaceAlignmentTracker":
        """See ChoosingTracker."""
        return FaceAlignmentTracker(self._networks, place)

    def track(
        self, frames: Iterable[Frame], frame_rate: Fraction, progress: Callable[[int], None] | None = None
    ) -> FollowedFace:
        """See FaceTracker.track. Holds BATCH_FRAMES frames and crops of as many faces, whatever the clip's length."""
        networks = load_networks(self._networks)
        choice = FaceSelector(float(frame_rate), self._place)
        waiting: BoxSmoother[tuple[FaceCrop, float]] = BoxSmoother()
        read: list[_Row] = []
        count = 0
        for batch in _batches(frames):
            certain: list[SmoothedBox[tuple[FaceCrop, float]]] = []
            for frame, faces in zip(batch, networks.detect(batch), strict=True):
                seen = choice.update(frame, faces)
                if seen is not None:
                    cut = crop_face(frame, seen.box)
                    certain += waiting.add(count, seen.box, (cut, seen.score), seen.begins)
                count += 1
            read += _read(networks, certain)
            if progress is not None:
                progress(count)
        read += _read(networks, waiting.end_run())
        return _rows(read, count, choice)


def _read(networks: FaceAlignmentNetworks, certain: list[SmoothedBox[tuple[FaceCrop, float]]]) -> Iterator[_Row]:
    crops = [boxed.item[0].fan_input(boxed.box) for boxed in certain]
    for boxed, points in zip(certain, networks.read(crops), strict=True):
        yield boxed.frame, boxed.item[1], points_to_frame(points, boxed.box)


def _batches(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    remaining = iter(frames)
    while batch := list(islice(remaining, BATCH_FRAMES)):
        yield batch


def _rows(read: list[_Row], count: int, choice: FaceSelector) -> FollowedFace:
    """Lay what was read into rows; the boxes are cut around the landmarks as those of every tracker, and smoothed."""
    boxes = np.full((count, 4), np.nan, np.float32)
    landmarks = np.full((count, 68, 2), np.nan, np.float32)
    score = np.full(count, np.nan, np.float32)
    for index, surety, points in read:
        landmarks[index], score[index], boxes[index] = points, surety, box_around(points)
    return FollowedFace(smooth_boxes(boxes, choice.cuts), landmarks, score, choice.cuts, choice.other_faces)
