"""How mouth patches come onto the presenter's frames: faded where the face comes and goes, and pasted."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.media.frame import Frame

VISIBILITY_FADE_SECONDS = 0.16
"""Time in which motion grows after the face appears and dies before it goes."""


def visibility_fade(present: NDArray[np.bool_], frame_rate: Fraction) -> NDArray[np.float64]:
    """How much of the motion is shown in each output frame: 0 without a face, growing to 1 away from such frames."""
    count = len(present)
    distance = np.full(count, np.inf)
    absent = np.flatnonzero(~present)
    if len(absent):
        after = np.searchsorted(absent, np.arange(count))
        before = absent[np.clip(after - 1, 0, None)]
        following = absent[np.clip(after, None, len(absent) - 1)]
        distance = np.minimum(np.abs(np.arange(count) - before), np.abs(following - np.arange(count)))
    return smoothstep(0, VISIBILITY_FADE_SECONDS * float(frame_rate) + 1, distance)


def composite(frames: Iterable[tuple[int, Frame]], patches: Iterable[MouthPatch]) -> Iterator[Frame]:
    """Yield the frames with the patches on them.

    Args:
        frames: a presenter's, each with its index in it; a frame is asked for when its patch is there.
        patches: as many.

    Raises ValueError if a patch was made for another presenter frame than the one it meets.
    """
    for patch, (presenter_frame, frame) in zip(patches, frames, strict=True):
        if patch.presenter_frame != presenter_frame:
            raise ValueError(
                f"patch {patch.output_frame} belongs on frame {patch.presenter_frame}, not {presenter_frame}"
            )
        if patch.pixels is not None:
            frame.draw(patch.left, patch.top, patch.pixels)
        yield frame
