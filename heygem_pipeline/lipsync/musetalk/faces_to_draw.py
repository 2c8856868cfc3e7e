"""Which output frames get a drawn face, and which picture shows the network who speaks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.lower_face.blending import FaceRegion
from heygem_pipeline.lipsync.musetalk.face_crops import FaceCrops
from heygem_pipeline.media.frame_sequence import FrameSequence


@dataclass(frozen=True)
class FaceToDraw:
    """One output frame.

    Attributes:
        place: None where the presenter's frame stays as it is.
        reference: the presenter frame whose whole face shows the network who speaks.
    """

    output_frame: int
    presenter_frame: int
    place: FaceRegion | None
    strength: float
    reference: int


def read_frames(
    sequence: FrameSequence,
    count: int,
    crops: FaceCrops,
    strengths: NDArray[np.float64],
    references: NDArray[np.int64],
) -> Iterator[FaceToDraw]:
    """Yield every output frame, with its face cut out where one is to be drawn."""
    for output_frame, (presenter_frame, picture) in enumerate(sequence.presentation(count, crops.inside)):
        strength = float(strengths[output_frame])
        place = crops.region(presenter_frame, picture) if strength > 0 else None
        del picture
        yield FaceToDraw(output_frame, presenter_frame, place, strength, int(references[output_frame]))


def reference_frames(
    speaking: NDArray[np.float64],
    crops: FaceCrops,
    shown: NDArray[np.int64],
    strengths: NDArray[np.float64],
    tracks: FaceTracks,
) -> NDArray[np.int64]:
    """Which presenter frame shows the network who speaks, for each output frame.

    In speech the frame itself, as in the reference. The network sees its mouth there, and takes it over where the
    sound says nothing; so in silence it is shown the most closed mouth of the same shot among the frames drawn so far.
    """
    chosen, shots = shown.copy(), tracks.shots
    most_closed: dict[int, int] = {}
    for position, frame in enumerate(shown):
        if strengths[position] <= 0:
            continue
        shot = int(shots[frame])
        if shot not in most_closed or crops.gap[frame] < crops.gap[most_closed[shot]]:
            most_closed[shot] = int(frame)
        if speaking[position] == 0:
            chosen[position] = most_closed[shot]
    return chosen
