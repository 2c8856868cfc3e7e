"""What the engine sees in each frame: the lips' true lines and the face's light, steadied over a few frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.smoothing import window_of
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.calibration import Calibration
from heygem_pipeline.lipsync.warp.curves import INNER_SAMPLES, MouthContours, contours_from_landmarks
from heygem_pipeline.lipsync.warp.light import FaceLight, follow_light, read_light
from heygem_pipeline.lipsync.warp.paths import smooth
from heygem_pipeline.lipsync.warp.seam import LipLines, find_lip_lines

STEADY_SECONDS = 0.2
"""Time over which the lines are steadied: 5 frames at 25 a second. A mouth that speaks moves within twice that."""

ALIKE = 0.01
"""IOD: lines of neighbouring frames, against the landmarks, that differ by more say little about this frame."""

PARTING = 0.025
"""IOD beyond the height of a crease at which lips have parted for sure; between, the opening grows from nothing."""

JOINED = 0.1
"""Share of the mouth's half width, from the corner, over which the lips join whatever is seen there."""

NARROWEST, UNCERTAIN = 0.2, 0.25
"""Share of the mouth's width over which parted lips are apart, and how far on average touching ones may seem to be."""

LANDMARKS_COUNT = 0.4
"""Share of the landmarks' gap that is added to the gap seen when touching is told from parted lips."""


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
    """Yield an observation for every shown (template frame, picture), holding those of 0.2 s."""
    light, shot = None, -1
    ahead = window_of(STEADY_SECONDS, tracks.frame_rate) // 2
    for seen, near in _with_neighbours(_look(shown, tracks, calibration), ahead):
        if seen.face is None:
            yield Observation(seen.output_frame, seen.template_frame, seen.frame, None, None)
            continue
        around = [other.face for other in near if other.face is not None and other.shot == seen.shot]
        if light is None or shot != seen.shot:
            light, shot = FaceLight.median([face.light for face in around]), seen.shot
        light = follow_light(light, seen.face.light)
        contours = _with_true_lines(seen.face, around)
        yield Observation(seen.output_frame, seen.template_frame, seen.frame, contours, light)


def _look(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[_Seen]:
    shots = np.searchsorted(np.array(tracks.cuts, int), np.arange(len(tracks)), side="right")
    lines, shot = None, -1
    for output_frame, (template_frame, frame) in enumerate(shown):
        face, here = None, int(shots[template_frame])
        if tracks.present[template_frame]:
            to_head = tracks.head[template_frame]
            predicted = contours_from_landmarks(calibration.landmarks[template_frame])
            lines = find_lip_lines(frame, to_head, predicted, lines if shot == here else None)
            shot = here
            face = _Face(predicted, lines, read_light(frame, to_head, predicted, lines))
        yield _Seen(output_frame, template_frame, here, frame, face)


def _with_neighbours(frames: Iterable[_Seen], ahead: int) -> Iterator[tuple[_Seen, list[_Seen]]]:
    """Yield every frame with those up to ``ahead`` before and after it, itself among them."""
    window: deque[_Seen | None] = deque(maxlen=2 * ahead + 1)
    for newest in chain(frames, repeat(None, ahead)):
        window.append(newest)
        if len(window) > ahead:
            current = window[-1 - ahead]
            if current is not None:
                yield current, [frame for frame in window if frame is not None]


def _with_true_lines(face: _Face, around: list[_Face]) -> MouthContours:
    """Both inner contours on the seam where the lips touch, on the lips' edges where they are apart."""
    lines, predicted = face.lines, face.predicted
    expected = _expected(face)
    seam, upper, lower = expected + _steadied([_found(other) - _expected(other) for other in around])
    opening = lower - upper + LANDMARKS_COUNT * (expected[2] - expected[1])
    parted = _parted(opening, lines.crease_height)
    samples = np.linspace(lines.x[0], lines.x[-1], INNER_SAMPLES)

    def contour(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([samples, np.interp(samples, lines.x, y)], axis=1)

    return MouthContours(
        predicted.upper_outer,
        predicted.lower_outer,
        contour(seam + parted * (np.minimum(upper, seam) - seam)),
        contour(seam + parted * (np.maximum(lower, seam) - seam)),
    )


def _parted(opening: NDArray[np.float64], crease: float) -> NDArray[np.float64]:
    """0 = the lips touch there .. 1 = they are apart. An opening that shows nowhere over some width is none."""
    from_corner = 1 - np.abs(np.linspace(-1, 1, len(opening)))
    beyond = np.clip((opening - crease) / PARTING, 0, 1) * np.clip(from_corner / JOINED, 0, 1)
    width = round(NARROWEST * len(opening))
    widest = np.convolve(beyond, np.full(width, 1 / width), mode="valid").max()
    return smooth(beyond) * np.clip((widest - UNCERTAIN) / (1 - 2 * UNCERTAIN), 0, 1)


def _found(face: _Face) -> NDArray[np.float64]:
    """Seam, upper and lower edge, (3, columns)."""
    return np.stack([face.lines.seam, face.lines.upper, face.lines.lower])


def _expected(face: _Face) -> NDArray[np.float64]:
    """Where the landmarks have the same three lines."""
    upper, lower = (
        np.interp(face.lines.x, line[:, 0], line[:, 1])
        for line in (face.predicted.upper_inner, face.predicted.lower_inner)
    )
    return np.stack([(upper + lower) / 2, upper, lower])


def _steadied(offsets: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean over neighbouring frames of what lies near their median: one step of an M-estimate."""
    around = np.array(offsets)
    median = np.median(around, axis=0)
    weights = np.exp(-(((around - median) / ALIKE) ** 2))
    return (weights * around).sum(axis=0) / weights.sum(axis=0)
