"""What the engine sees in each frame: the lips' true lines and the face's light, steadied over a few frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.analysis.calibration import Calibration
from heygem_pipeline.lipsync.warp.analysis.contour_smoothing import ContourSmoother, ObservedLips
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting, measure_lighting, update_lighting
from heygem_pipeline.lipsync.warp.analysis.lip_edges import detect_lip_edges
from heygem_pipeline.lipsync.warp.contours import MouthContours, contours_from_lips


@dataclass(frozen=True)
class Observation:
    """One output frame's picture and, where there is a face, its lips and light."""

    output_frame: int
    template_frame: int
    frame: NDArray[np.uint8]
    contours: MouthContours | None
    light: FaceLighting | None


@dataclass(frozen=True)
class _DetectedFace:
    lips: ObservedLips
    light: FaceLighting


@dataclass(frozen=True)
class _DetectedFrame:
    output_frame: int
    template_frame: int
    shot: int
    frame: NDArray[np.uint8]
    face: _DetectedFace | None


def observe_frames(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[Observation]:
    """Yield an observation for every shown (template frame, picture), holding the pictures of 0.3 s."""
    light, shot = None, -1
    smoother = ContourSmoother.for_frame_rate(tracks.frame_rate)
    for seen, around in _with_neighbours(_detect(shown, tracks, calibration), smoother.still):
        if seen.face is None:
            yield Observation(seen.output_frame, seen.template_frame, seen.frame, None, None)
            continue
        if light is None or shot != seen.shot:
            light, shot = FaceLighting.median([face.light for _, face in around]), seen.shot
        light = update_lighting(light, seen.face.light)
        contours = smoother.smoothed_contours([(later, face.lips) for later, face in around])
        yield Observation(seen.output_frame, seen.template_frame, seen.frame, contours, light)


def _detect(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[_DetectedFrame]:
    shots = tracks.shots
    lines, shot = None, -1
    for output_frame, (template_frame, frame) in enumerate(shown):
        face, here = None, int(shots[template_frame])
        if tracks.present[template_frame]:
            head = tracks.head_frame(template_frame)
            predicted = contours_from_lips(calibration.lips[template_frame])
            lines = detect_lip_edges(frame, head, predicted, lines if shot == here else None)
            shot = here
            face = _DetectedFace(ObservedLips(predicted, lines), measure_lighting(frame, head, predicted, lines))
        yield _DetectedFrame(output_frame, template_frame, here, frame, face)


def _with_neighbours(
    frames: Iterable[_DetectedFrame], ahead: int
) -> Iterator[tuple[_DetectedFrame, list[tuple[int, _DetectedFace]]]]:
    """Yield every frame with the faces of its shot up to ``ahead`` frames before and after it, itself among them.

    They come with how many frames later they are shown.
    """
    coming: deque[_DetectedFrame | None] = deque()
    faces: deque[tuple[int, int, _DetectedFace]] = deque()
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
