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

STEADY_SECONDS = 0.44
"""Time over which the lines of a mouth that keeps its shape are steadied: 11 frames at 25 a second."""

NEAREST = 5
"""Frames around one whose median tells which lines to believe."""

SAME_SHAPE = 0.012
"""IOD: mouths whose landmarks differ by more, over all lines, say little about each other."""

ASTRAY = 0.015
"""IOD: a line this far from the others is not counted."""

LANDMARK_NOISE = 0.004
"""IOD: what landmarks move between frames of one shape without the mouth."""

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
    """Yield an observation for every shown (template frame, picture), holding the pictures of 0.2 s."""
    light, shot = None, -1
    ahead = window_of(STEADY_SECONDS, tracks.frame_rate) // 2
    for seen, around in _with_neighbours(_look(shown, tracks, calibration), ahead):
        if seen.face is None:
            yield Observation(seen.output_frame, seen.template_frame, seen.frame, None, None)
            continue
        if light is None or shot != seen.shot:
            light, shot = FaceLight.median([face.light for _, face in around]), seen.shot
        light = follow_light(light, seen.face.light)
        contours = _with_true_lines(seen.face, around, ahead)
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


def _with_true_lines(face: _Face, around: list[tuple[int, _Face]], ahead: int) -> MouthContours:
    """Both inner contours on the seam where the lips touch, on the lips' edges where they are apart; all steadied."""
    borders, (seam, upper, lower) = _steadied(around, ahead)
    expected = _expected(face)
    opening = lower - upper + LANDMARKS_COUNT * (expected[2] - expected[1])
    parted = _parted(opening, face.lines.crease_height)
    left, right = borders[0, 0, 0], borders[0, -1, 0]
    x, samples = np.linspace(left, right, len(seam)), np.linspace(left, right, INNER_SAMPLES)

    def contour(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([samples, np.interp(samples, x, y)], axis=1)

    return MouthContours(
        borders[0],
        borders[1],
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


def _steadied(around: list[tuple[int, _Face]], ahead: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Averages over the frames around in which the mouth has this shape.

    Returns the outer borders (2, samples, 2), and seam, upper and lower edge (3, columns). The lines themselves are
    averaged, since a still mouth's are steadier than its landmarks; of what the landmarks move meanwhile, only what
    goes beyond their noise is followed.
    """
    later = np.array([frames for frames, _ in around])
    here = int(np.flatnonzero(later == 0)[0])
    found, expected = np.array([_found(face) for _, face in around]), np.array([_expected(face) for _, face in around])
    borders = np.array([[face.predicted.upper_outer, face.predicted.lower_outer] for _, face in around])
    unlike = np.sqrt(((expected - expected[here]) ** 2).mean(axis=(1, 2))) / SAME_SHAPE
    weights = (0.5 + 0.5 * np.cos(np.pi * later / (ahead + 1))) * np.exp(-(unlike**2))
    weights /= weights.sum()
    mean_borders = np.tensordot(weights, borders, axes=1)
    offsets = found - expected
    believed = np.median(offsets[np.abs(later) <= NEAREST // 2], axis=0)
    trusted = weights[:, None, None] * np.exp(-(((offsets - believed) / ASTRAY) ** 2)) + 1e-9
    trusted /= trusted.sum(axis=0)
    mean_expected = (trusted * expected).sum(axis=0)
    return (
        mean_borders + _beyond_noise(borders[here] - mean_borders),
        (trusted * found).sum(axis=0) + _beyond_noise(expected[here] - mean_expected),
    )


def _beyond_noise(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(moved) * np.maximum(np.abs(moved) - LANDMARK_NOISE, 0)
