"""Where the face is in every frame of a template: one row a frame of the constant-rate timeline."""

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame


class FaceState(IntEnum):
    """How a frame's row came about."""

    ABSENT = 0
    """No face: the frame passes through unchanged; its numbers are NaN."""
    FOUND = 1
    """The landmarks were read from this very frame."""
    FILLED = 2
    """Interpolated over a short gap between frames with a face."""


@dataclass(frozen=True)
class FaceTracks:
    """The followed face of one template. Arrays have one entry a frame; pixels are those of the upright, square frame.

    The head frame has its origin midway between the eye centres, x to the viewer's right, y down, and 1.0 = the
    distance between the eye centres (IOD).

    Attributes:
        frame_rate: frames a second of the constant-rate timeline.
        size: (width, height) of the frames.
        state: int8 (frames,), values of FaceState.
        boxes: float32 (frames, 4), left, top, right, bottom, smoothed.
        landmarks: float32 (frames, 68, 2), iBUG order, x and y, averaged over jittered boxes, not smoothed in time.
        head: float64 (frames, 2, 3), smoothed similarity from frame pixels to the head frame.
        raw_head: float64 (frames, 2, 3), before smoothing: mouth coordinates go through it, so that jitter cancels.
        pose: float32 (frames, 3), yaw, pitch, roll in degrees, smoothed; yaw > 0 turns to the viewer's right, pitch > 0
            up, roll > 0 clockwise.
        score: float32 (frames,), detector score, higher is surer; -0.3 where only the landmarks kept hold of the face.
        reference: float32 (68, 2), median shape of the clip in the head frame.
        other_faces: the largest number of further faces seen in one frame.
        cuts: frames at which another shot or another face begins; nothing is smoothed or filled across them.
    """

    frame_rate: Fraction
    size: tuple[int, int]
    state: NDArray[np.int8]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    head: NDArray[np.float64]
    raw_head: NDArray[np.float64]
    pose: NDArray[np.float32]
    score: NDArray[np.float32]
    reference: NDArray[np.float32]
    other_faces: int
    cuts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.state)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Whether each frame has usable landmarks, bool (frames,)."""
        return self.state != FaceState.ABSENT

    def head_frame(self, frame: int) -> HeadFrame:
        """The smoothed head frame of one frame that shows a face."""
        return HeadFrame(self.head[frame])

    @property
    def shots(self) -> NDArray[np.int64]:
        """Which shot each frame belongs to, int64 (frames,), counted from 0: the cuts lie between them."""
        return np.searchsorted(np.array(self.cuts, int), np.arange(len(self)), side="right")
