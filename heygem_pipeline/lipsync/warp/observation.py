"""What the engine sees in each frame: the lips' true lines and the face's light, steadied over a few frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.calibration import Calibration
from heygem_pipeline.lipsync.warp.curves import INNER_SAMPLES, MouthContours, contours_from_landmarks
from heygem_pipeline.lipsync.warp.light import FaceLight, follow_light, read_light
from heygem_pipeline.lipsync.warp.seam import LipLines, find_lip_lines

LOOK_AHEAD = 4
"""Frames on each side over which the seam is steadied (median of 9)."""

TEETH_HIDDEN, TEETH_SHOW = 0.002, 0.004
"""Mean height of a row of teeth, IOD, up to which lips count as touching and from which as parted, whatever the
landmarks say. Of the presenters measured, the one with parted lips showed 0.005, all others 0."""

FOLLOW_TEETH = 0.05
"""Share of a new frame's teeth that is taken over: a presenter's lips are parted for seconds, or not."""


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
    predicted: MouthContours
    lines: LipLines
    light: FaceLight
    teeth: float
    """Height of the teeth that lips taken to touch have shown of late, IOD."""


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
    """Yield an observation for every shown (template frame, picture), holding at most 9 of them."""
    light, shot = None, -1
    for seen, near in _with_neighbours(_look(shown, tracks, calibration)):
        if seen.face is None:
            yield Observation(seen.output_frame, seen.template_frame, seen.frame, None, None)
            continue
        around = [other.face for other in near if other.face is not None and other.shot == seen.shot]
        if light is None or shot != seen.shot:
            light, shot = FaceLight.median([face.light for face in around]), seen.shot
        light = follow_light(light, seen.face.light)
        bared = float(np.clip((seen.face.teeth - TEETH_HIDDEN) / (TEETH_SHOW - TEETH_HIDDEN), 0, 1))
        parted = max(float(calibration.parted[seen.template_frame]), bared)
        contours = _with_true_lines(seen.face.predicted, seen.face.lines, [face.lines for face in around], parted)
        yield Observation(seen.output_frame, seen.template_frame, seen.frame, contours, light)


def _look(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[_Seen]:
    shots = np.searchsorted(np.array(tracks.cuts, int), np.arange(len(tracks)), side="right")
    teeth, shot = 0.0, -1
    for output_frame, (template_frame, frame) in enumerate(shown):
        face, here = None, int(shots[template_frame])
        if tracks.present[template_frame]:
            to_head = tracks.head[template_frame]
            predicted = contours_from_landmarks(calibration.landmarks[template_frame])
            touching = calibration.parted[template_frame] == 0
            if shot != here:
                teeth = find_lip_lines(frame, to_head, predicted, parted=False).teeth if touching else 0.0
                shot = here
            lines = find_lip_lines(frame, to_head, predicted, parted=not touching or teeth > TEETH_HIDDEN)
            if touching:
                teeth += FOLLOW_TEETH * (min(lines.teeth, 2 * TEETH_SHOW) - teeth)
            face = _Face(predicted, lines, read_light(frame, to_head, predicted, lines), teeth)
        yield _Seen(output_frame, template_frame, here, frame, face)


def _with_neighbours(frames: Iterable[_Seen]) -> Iterator[tuple[_Seen, list[_Seen]]]:
    """Yield every frame with those up to ``LOOK_AHEAD`` before and after it, itself among them."""
    window: deque[_Seen | None] = deque(maxlen=2 * LOOK_AHEAD + 1)
    for newest in chain(frames, repeat(None, LOOK_AHEAD)):
        window.append(newest)
        if len(window) > LOOK_AHEAD:
            current = window[-1 - LOOK_AHEAD]
            if current is not None:
                yield current, [frame for frame in window if frame is not None]


def _with_true_lines(predicted: MouthContours, lines: LipLines, around: list[LipLines], parted: float) -> MouthContours:
    """Both inner contours on the seam where the lips touch, on the lips' edges where they are apart."""
    samples = np.linspace(lines.x[0], lines.x[-1], INNER_SAMPLES)

    def contour(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([samples, np.interp(samples, lines.x, y)], axis=1)

    edges = [other.edge_offsets for other in around if other.edge_offsets is not None]
    seam = (lines.upper + lines.lower) / 2 + np.median([other.seam_offsets for other in around], axis=0)
    if parted == 0 or not edges:
        line = contour(seam)
        return MouthContours(predicted.upper_outer, predicted.lower_outer, line, line)
    upper_offsets, lower_offsets = np.median(edges, axis=0)
    upper = lines.upper + upper_offsets
    lower = np.maximum(upper, lines.lower + lower_offsets)
    return MouthContours(
        predicted.upper_outer,
        predicted.lower_outer,
        contour(seam + parted * (upper - seam)),
        contour(seam + parted * (lower - seam)),
    )
