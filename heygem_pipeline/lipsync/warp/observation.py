"""What the engine sees in each frame: the lips' true lines and the face's light, steadied over a few frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.calibration import Calibration
from heygem_pipeline.lipsync.warp.curves import INNER_SAMPLES, MouthContours, contours_from_landmarks
from heygem_pipeline.lipsync.warp.light import FaceLight, follow_light, read_light
from heygem_pipeline.lipsync.warp.seam import TEETH_SHOW, LipLines, find_lip_lines

LOOK_AHEAD = 4
"""Frames on each side over which the seam is steadied (median of 9)."""


@dataclass(frozen=True)
class Observation:
    """One output frame's picture and, where there is a face, its lips and light."""

    output_frame: int
    template_frame: int
    frame: NDArray[np.uint8]
    contours: MouthContours | None
    light: FaceLight | None


@dataclass
class _Seen:
    output_frame: int
    template_frame: int
    frame: NDArray[np.uint8]
    predicted: MouthContours | None = None
    lines: LipLines | None = None
    light: FaceLight | None = None


def observe(
    shown: Iterable[tuple[int, NDArray[np.uint8]]], tracks: FaceTracks, calibration: Calibration
) -> Iterator[Observation]:
    """Yield an observation for every shown (template frame, picture), holding at most 9 of them."""
    window: deque[_Seen] = deque()
    waiting = 0
    light: FaceLight | None = None
    for output_frame, (template_frame, frame) in enumerate(shown):
        window.append(_look(output_frame, template_frame, frame, tracks, calibration))
        waiting += 1
        if waiting > LOOK_AHEAD:
            light = _steady_light(light, window, len(window) - waiting)
            yield _settle(window, len(window) - waiting, light, calibration)
            waiting -= 1
        if len(window) > 2 * LOOK_AHEAD:
            window.popleft()
    while waiting:
        light = _steady_light(light, window, len(window) - waiting)
        yield _settle(window, len(window) - waiting, light, calibration)
        waiting -= 1
        if len(window) - waiting > LOOK_AHEAD:
            window.popleft()


def _look(
    output_frame: int, template_frame: int, frame: NDArray[np.uint8], tracks: FaceTracks, calibration: Calibration
) -> _Seen:
    seen = _Seen(output_frame, template_frame, frame)
    if tracks.present[template_frame]:
        to_head = tracks.head[template_frame]
        seen.predicted = contours_from_landmarks(calibration.landmarks[template_frame])
        seen.lines = find_lip_lines(frame, to_head, seen.predicted, bool(calibration.parted[template_frame] > 0))
        seen.light = read_light(frame, to_head, seen.predicted, seen.lines)
    return seen


def _steady_light(light: FaceLight | None, window: deque[_Seen], position: int) -> FaceLight | None:
    if light is None:
        known = [seen.light for seen in window if seen.light is not None]
        return FaceLight.median(known) if known else None
    here = window[position].light
    return light if here is None else follow_light(light, here)


def _settle(window: deque[_Seen], position: int, light: FaceLight | None, calibration: Calibration) -> Observation:
    seen = window[position]
    if seen.predicted is None or seen.lines is None:
        return Observation(seen.output_frame, seen.template_frame, seen.frame, None, None)
    near = list(window)[max(0, position - LOOK_AHEAD) : position + LOOK_AHEAD + 1]
    around = [other.lines for other in near if other.lines is not None]
    parted = float(calibration.parted[seen.template_frame])
    contours = _with_true_lines(seen.predicted, seen.lines, around, parted)
    return Observation(seen.output_frame, seen.template_frame, seen.frame, contours, light)


def _with_true_lines(predicted: MouthContours, lines: LipLines, around: list[LipLines], parted: float) -> MouthContours:
    """Both inner contours on the seam where the lips touch, on the lips' edges where they are apart."""
    samples = np.linspace(lines.x[0], lines.x[-1], INNER_SAMPLES)

    def contour(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([samples, np.interp(samples, lines.x, y)], axis=1)

    teeth = float(np.quantile([other.teeth for other in around], 0.75))
    parted = max(parted, float(np.clip((teeth - 0.5 * TEETH_SHOW) / (0.5 * TEETH_SHOW), 0, 1)))
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
