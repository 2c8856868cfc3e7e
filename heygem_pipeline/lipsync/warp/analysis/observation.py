"""What the engine sees in each frame: the lips' true lines and the face's light, steadied over a few frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.analysis.calibration import Calibration
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLight, follow_light, read_light
from heygem_pipeline.lipsync.warp.analysis.line_smoothing import SeenLips, Steadying
from heygem_pipeline.lipsync.warp.analysis.seam import find_lip_lines
from heygem_pipeline.lipsync.warp.curves import MouthContours, contours_from_landmarks


@dataclass(frozen=True)
class Observation:
    """One output frame's picture and, where there is a face, its lips and light."""

    output_frame: int
    template_frame: int
    frame: NDArray[np.uint8]
    contours: MouthContours | None
    light: FaceLight | None


@dataclass(frozen=True)
class _Face:
    lips: SeenLips
    light: FaceLight


@dataclass(frozen=True)
class _Seen:
    output_frame: int
    template_frame: int
    shot: int
    frame: NDArray[np.uint8]
    face: _Face | None


def observe(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[Observation]:
    """Yield an observation for every shown (template frame, picture), holding the pictures of 0.3 s."""
    light, shot = None, -1
    steadying = Steadying.at(tracks.frame_rate)
    for seen, around in _with_neighbours(_look(shown, tracks, calibration), steadying.still):
        if seen.face is None:
            yield Observation(seen.output_frame, seen.template_frame, seen.frame, None, None)
            continue
        if light is None or shot != seen.shot:
            light, shot = FaceLight.median([face.light for _, face in around]), seen.shot
        light = follow_light(light, seen.face.light)
        contours = steadying.lines([(later, face.lips) for later, face in around])
        yield Observation(seen.output_frame, seen.template_frame, seen.frame, contours, light)


def _look(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[_Seen]:
    shots = tracks.shots
    lines, shot = None, -1
    for output_frame, (template_frame, frame) in enumerate(shown):
        face, here = None, int(shots[template_frame])
        if tracks.present[template_frame]:
            head = tracks.head_frame(template_frame)
            predicted = contours_from_landmarks(calibration.landmarks[template_frame])
            lines = find_lip_lines(frame, head, predicted, lines if shot == here else None)
            shot = here
            face = _Face(SeenLips(predicted, lines), read_light(frame, head, predicted, lines))
        yield _Seen(output_frame, template_frame, here, frame, face)


def _with_neighbours(frames: Iterable[_Seen], ahead: int) -> Iterator[tuple[_Seen, list[tuple[int, _Face]]]]:
    """Yield every frame with the faces of its shot up to ``ahead`` frames before and after it, itself among them.

    They come with how many frames later they are shown.
    """
    coming: deque[_Seen | None] = deque()
    faces: deque[tuple[int, int, _Face]] = deque()
    for newest in chain(frames, repeat(None, ahead)):
        coming.append(newest)
        if newest is not None and newest.face is not None:
            faces.append((newest.output_frame, newest.shot, newest.face))
        if len(coming) <= ahead:
            continue
        current = coming.popleft()
        if current is not None:
            while faces and faces[0][0] < current.output_frame - ahead:
                faces.popleft()
            now = current.output_frame
            yield current, [(place - now, face) for place, shot, face in faces if shot == current.shot]
