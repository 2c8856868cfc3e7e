"""Which output frames a program is given, and at which rate: stretches of one shot with a face that speaks."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

LEAST_STRENGTH = 0.2
"""Stretches in which a mouth would never be seen more clearly stay as they are: faces that come for a moment."""

MARGIN_SECONDS = 0.2
"""Of silence that is kept around what is said."""


@dataclass(frozen=True)
class Piece:
    """A stretch of output frames that is handed over at once.

    Attributes:
        start: first output frame.
        end: the one after the last.
        frame_rate: of the clip.
        rate: of the video that is handed over.
        frames: of that video that show the stretch.
        held: frames after these that hold the last picture, in silence.
    """

    start: int
    end: int
    frame_rate: Fraction
    rate: Fraction
    frames: int
    held: int

    @property
    def handed_over(self) -> int:
        """Frames of the whole video that is handed over."""
        return self.frames + self.held

    def shows(self, frame: int) -> int:
        """Which output frame is seen in a frame of the video."""
        place = int((Fraction(2 * frame + 1, 2) / self.rate) * self.frame_rate)
        return self.start + min(max(place, 0), self.end - self.start - 1)

    def seen_at(self, output_frame: int, later: Fraction = Fraction(0)) -> int:
        """Which frame of the video is on display in the middle of an output frame, or some seconds later."""
        time = Fraction(2 * (output_frame - self.start) + 1, 2) / self.frame_rate + later
        return min(max(int(time * self.rate // 1), 0), self.frames - 1)


def pieces_of(
    strengths: NDArray[np.floating],
    shots: NDArray[np.integer],
    frame_rate: Fraction,
    rate: Fraction | None = None,
    padding_seconds: float = 0.0,
    shortest_seconds: float = 0.0,
) -> list[Piece]:
    """The stretches that are handed over, in order.

    Args:
        strengths: how far a drawn mouth is seen in each output frame, 0..1.
        shots: of each output frame; -1 where there is no face.
        frame_rate: of the clip.
        rate: of what is handed over; None, the same.
        padding_seconds: by which the last frame is held at least.
        shortest_seconds: that a video has at least, its last frame held.
    """
    edges = np.flatnonzero(np.diff(shots)) + 1
    found = []
    for start, end in zip([0, *edges.tolist()], [*edges.tolist(), len(shots)], strict=True):
        seen = np.flatnonzero(strengths[start:end] > 0)
        if shots[start] < 0 or not len(seen) or strengths[start:end].max() < LEAST_STRENGTH:
            continue
        margin = ceil(MARGIN_SECONDS * frame_rate)
        first, last = max(start, start + int(seen[0]) - margin), min(end, start + int(seen[-1]) + 1 + margin)
        chosen = rate or frame_rate
        frames = max(1, ceil((last - first) / frame_rate * chosen))
        held = max(ceil(padding_seconds * chosen), ceil(shortest_seconds * chosen) - frames)
        found.append(Piece(int(first), int(last), frame_rate, chosen, frames, held))
    return found
