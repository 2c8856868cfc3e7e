"""Batches of frames in, drawn faces out; and a drawn face laid over its frame."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.lower_face.blending import FACE_SIDE, MASK_FEATHER, FaceRegion, blend_face
from heygem_pipeline.lipsync.musetalk.face_crops import CHIN_SHARE, FaceCrops, network_face
from heygem_pipeline.lipsync.musetalk.face_encodings import FaceEncodings, Latents
from heygem_pipeline.lipsync.musetalk.faces_to_draw import FaceToDraw
from heygem_pipeline.lipsync.musetalk.sound_windows import SoundWindows

if TYPE_CHECKING:
    from heygem_pipeline.lipsync.musetalk.network.inference import FaceGenerator

LONG_WAIT = 60
"""Seconds of drawing still to come from which on it is worth a warning."""

logger = logging.getLogger(__name__)


class FaceDrawing:
    """Draws the faces of one clip in order; says once how long that will take."""

    def __init__(self, generator: "FaceGenerator", windows: SoundWindows, encodings: FaceEncodings, faces: int) -> None:
        self._generator, self._windows, self._encodings = generator, windows, encodings
        self._faces, self._has_said = faces, False

    def faces(self, batch: Sequence[FaceToDraw]) -> list[NDArray[np.float32] | None]:
        """A face for each frame that needs one."""
        from heygem_pipeline.lipsync.musetalk.network.inference import FaceInput

        asked = [one for one in batch if one.place is not None]
        latents = self._latents(asked)
        inputs = []
        for one in asked:
            own, whole = latents[one.presenter_frame], latents.get(one.reference)
            if whole is None:
                whole = self._encodings.get(one.reference)
            if whole is not None:
                own = np.concatenate([own[:4], whole[4:]])
            inputs.append(FaceInput(own, self._windows.window(one.output_frame)))
        drawn = iter(self._generator.draw_faces(inputs))
        self._say_speed()
        return [next(drawn) if one.place is not None else None for one in batch]

    def _latents(self, asked: Sequence[FaceToDraw]) -> dict[int, Latents]:
        """By presenter frame: kept ones, or computed now, and then kept."""
        found: dict[int, Latents] = {}
        missing: dict[int, FaceRegion] = {}
        for one in asked:
            kept = self._encodings.get(one.presenter_frame)
            if kept is not None:
                found[one.presenter_frame] = kept
            elif one.place is not None:
                missing[one.presenter_frame] = one.place
        encoded = self._generator.encode_faces(
            [network_face(place, self._generator.side) for place in missing.values()]
        )
        for frame, latents in zip(missing, encoded, strict=True):
            self._encodings.add(frame, latents)
            found[frame] = latents
        return found

    def _say_speed(self) -> None:
        speed = self._generator.frames_a_second
        if self._has_said or speed is None:
            return
        self._has_said = True
        seconds = self._faces / speed
        logger.log(
            logging.WARNING if seconds > LONG_WAIT else logging.INFO,
            "MuseTalk draws %.2f faces a second on %s: the %d faces of this clip take about %s.",
            speed,
            self._generator,
            self._faces,
            f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} seconds",
        )


def lay_over(frame: FaceToDraw, face: NDArray[np.float32] | None, crops: FaceCrops) -> MouthPatch:
    """Return the patch of a drawn face, cut to what lies within the frame."""
    untouched = MouthPatch(frame.output_frame, frame.presenter_frame)
    if face is None or frame.place is None:
        return untouched
    laid = blend_face(frame.place, _no_larger(face, frame.place.pixels.shape), frame.strength, 0.0, _lower_half())
    if laid is None:
        return untouched
    left, top, pixels = laid
    box, inside = crops.boxes[frame.presenter_frame], crops.inside[frame.presenter_frame]
    left, top = int(box[0]) + left, int(box[1]) + top
    # What was drawn beyond the frame's edge goes.
    right, bottom = min(left + pixels.shape[1], int(inside[2])), min(top + pixels.shape[0], int(inside[3]))
    first, above = max(left, int(inside[0])), max(top, int(inside[1]))
    if first >= right or above >= bottom:
        return untouched
    return replace(
        untouched, left=first, top=above, pixels=pixels[above - top : bottom - top, first - left : right - left]
    )


@cache
def _lower_half() -> NDArray[np.float32]:
    """Float32 (96, 96): what the network draws anew, with a soft edge. Above, a face only comes back less sharp."""
    bridge = FACE_SIDE / 2 / (1 + CHIN_SHARE)
    rows = np.arange(FACE_SIDE, dtype=np.float32) + 0.5
    # One row further down, for where the face is larger the edge is spread by a pixel on either side.
    faded = smoothstep(bridge + 1, bridge + 1 + MASK_FEATHER, rows).astype(np.float32)
    return np.repeat(faded[:, None], FACE_SIDE, axis=1)


def _no_larger(face: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A drawn face, shrunk to the region where that is smaller, by means: single pixels would glitter."""
    import cv2

    height, width = min(len(face), shape[0]), min(face.shape[1], shape[1])
    if (height, width) == face.shape[:2]:
        return face
    return np.asarray(cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA), np.float32)
