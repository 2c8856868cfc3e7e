"""What the engine sees in each frame: the lips' true lines and the face's light, steadied over a few frames."""

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from math import factorial

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.analysis.calibration import Calibration
from heygem_pipeline.lipsync.warp.analysis.contour_smoothing import ContourSmoother, ObservedLips
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting, measure_lighting, update_lighting
from heygem_pipeline.lipsync.warp.analysis.lip_edges import SeenLips, detect_lip_edges
from heygem_pipeline.lipsync.warp.analysis.lip_record import DetectedFace, LipRecord
from heygem_pipeline.lipsync.warp.contours import MouthContours, contours_from_lips

FRAMES_TOGETHER, BYTES_TOGETHER = 3, 64 * 2**20
"""Frames that are looked at together: so many, and fewer where they are large. More would save little."""

_Shown = tuple[int, tuple[int, NDArray[np.uint8]]]
"""Output frame, presenter frame, picture."""


@dataclass(frozen=True)
class Observation:
    """One output frame's picture and, where there is a face, its lips and light."""

    output_frame: int
    presenter_frame: int
    frame: NDArray[np.uint8]
    contours: MouthContours | None
    light: FaceLighting | None


@dataclass(frozen=True)
class _DetectedFrame:
    output_frame: int
    presenter_frame: int
    shot: int
    frame: NDArray[np.uint8]
    face: DetectedFace | None


def record_of(tracks: FaceTracks, calibration: Calibration, engine: str) -> LipRecord:
    """The record of a clip's frames in the order they are shown in, by all that it hangs on.

    Args:
        engine: its name and version.
    """
    upload = tracks.upload
    if upload is None or upload.lips is None:
        return LipRecord()
    made_of = [upload.fingerprint, upload.tracker, engine, str(tracks.frame_rate), *map(str, tracks.size)]
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for known in (tracks.present, tracks.shots, tracks.head, calibration.landmarks, calibration.lips):
        digest.update(np.ascontiguousarray(known).tobytes())
    return LipRecord(upload.lips, digest.hexdigest(), upload.most_bytes, factorial(FRAMES_TOGETHER))


def observe_frames(
    shown: Iterable[tuple[int, NDArray[np.uint8]]],
    tracks: FaceTracks,
    calibration: Calibration,
    record: LipRecord | None = None,
) -> Iterator[Observation]:
    """Yield an observation for every shown (presenter frame, picture), holding the pictures of 0.3 s.

    Args:
        record: of these very frames in this order; what it lacks is added to it.
    """
    light, shot = None, -1
    smoother = ContourSmoother.for_frame_rate(tracks.frame_rate)
    detected = _detect(shown, tracks, calibration, LipRecord() if record is None else record)
    for seen, around in _with_neighbours(detected, smoother.still):
        if seen.face is None:
            yield Observation(seen.output_frame, seen.presenter_frame, seen.frame, None, None)
            continue
        if light is None or shot != seen.shot:
            light, shot = FaceLighting.median([face.light for _, face in around]), seen.shot
        light = update_lighting(light, seen.face.light)
        contours = smoother.smoothed_contours([(later, face.lips) for later, face in around])
        yield Observation(seen.output_frame, seen.presenter_frame, seen.frame, contours, light)


def _detect(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration, record: LipRecord
) -> Iterator[_DetectedFrame]:
    shots, present = tracks.shots, tracks.present
    lines, shot = None, -1
    numbered = enumerate(shown)
    for output_frame, (presenter_frame, frame) in islice(numbered, len(record)):
        place, face = int(shots[presenter_frame]), None
        if present[presenter_frame]:
            predicted = contours_from_lips(calibration.lips[presenter_frame])
            face = record.face(output_frame, predicted, tracks.head_frame(presenter_frame))
            lines, shot = face.lips.lines, place
        yield _DetectedFrame(output_frame, presenter_frame, place, frame, face)
    for block in _blocks(numbered):
        lips: list[SeenLips] = []
        here = [int(shots[presenter_frame]) for _, (presenter_frame, _) in block]
        for place, (_, (presenter_frame, frame)) in zip(here, block, strict=True):
            if present[presenter_frame]:
                predicted = contours_from_lips(calibration.lips[presenter_frame])
                lips.append(SeenLips(frame, tracks.head_frame(presenter_frame), predicted, anew=place != shot))
                shot = place
        edges = detect_lip_edges(lips, lines) if lips else []
        lines = edges[-1] if edges else lines
        found = [
            DetectedFace(ObservedLips(one.contours, found), measure_lighting(one.frame, one.head, one.contours, found))
            for one, found in zip(lips, edges, strict=True)
        ]
        # No picture is held longer than it is needed.
        lips.clear()
        found.reverse()
        block.reverse()
        for place in here:
            output_frame, (presenter_frame, frame) = block.pop()
            face = found.pop() if present[presenter_frame] else None
            record.add(face)
            yield _DetectedFrame(output_frame, presenter_frame, place, frame, face)


def _blocks(shown: Iterator[_Shown]) -> Iterator[list[_Shown]]:
    """Yield the frames in lists of those that are looked at together."""
    block: list[_Shown] = []
    for one in shown:
        block.append(one)
        if len(block) == FRAMES_TOGETHER or len(block) * one[1][1].nbytes >= BYTES_TOGETHER:
            yield block
            block = []
    if block:
        yield block


def _with_neighbours(
    frames: Iterable[_DetectedFrame], ahead: int
) -> Iterator[tuple[_DetectedFrame, list[tuple[int, DetectedFace]]]]:
    """Yield every frame with the faces of its shot up to ``ahead`` frames before and after it, itself among them.

    They come with how many frames later they are shown.
    """
    coming: deque[_DetectedFrame | None] = deque()
    faces: deque[tuple[int, int, DetectedFace]] = deque()
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
