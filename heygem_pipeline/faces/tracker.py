"""The interface every face tracker keeps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import FacePlace


@dataclass(frozen=True)
class FollowedFace:
    """One face followed through a clip, as a tracker reads it: nothing interpolated. Rows without the face are NaN.

    Attributes:
        boxes: float32 (frames, 4), left, top, right, bottom in pixels, smoothed in time.
        landmarks: float32 (frames, 68, 2), iBUG order, pixels.
        score: float32 (frames,), detector score.
        cuts: frames at which another shot (or another face) begins.
        other_faces: the largest number of further faces seen in one frame.
        lips: float32 (frames, 4, 11, 2), the lines of the lips as LIP_LINES orders them, pixels; None where the tracker
            reads no more than the 68 points.
        blendshapes: float32 (frames, 16), of the mouth as MOUTH_BLENDSHAPES orders them, 0 to 1; None likewise.
        colours: float32 (frames, 3, 2), as ``colours_of_skin`` gives them; None where the tracker gives none.
    """

    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: NDArray[np.float32]
    cuts: tuple[int, ...]
    other_faces: int
    lips: NDArray[np.float32] | None = None
    blendshapes: NDArray[np.float32] | None = None
    colours: NDArray[np.float32] | None = None


class FaceTracker(Protocol):
    """Frames in, one face followed through them out."""

    name: str
    version: str
    """Changes whenever the same frames would give other landmarks: tracks of another version are out of date."""

    def track(
        self,
        frames: Iterable[NDArray[np.uint8]],
        frame_rate: Fraction,
        progress: Callable[[int], None] | None = None,
    ) -> FollowedFace:
        """Follow one face through ``frames``, uint8 (height, width, 3) BGR, read once and in order.

        Raises ModelMissing before any frame is read if the tracker's model is not installed.
        """
        ...


@runtime_checkable
class ChoosingTracker(Protocol):
    """A tracker that can be told which of several faces to follow."""

    def at(self, place: FacePlace) -> FaceTracker:
        """The same tracker, of another version: at every beginning it takes the face nearest to a place."""
        ...
