"""A performance drawn on a template's frames, patch by patch."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.calibration import Calibration
from heygem_pipeline.lipsync.warp.drive import presence_strength
from heygem_pipeline.lipsync.warp.observation import Observation, observe
from heygem_pipeline.lipsync.warp.performance import Performance
from heygem_pipeline.lipsync.warp.renderer import MouthRenderer
from heygem_pipeline.lipsync.warp.target import between, jaw_drop, largest_move

UNSEEN_MOVE = 0.0015
"""IOD: shapes closer than this are the same, and the template's pixels stay as they are (0.15 px of a 100 px IOD)."""


def draw_performance(
    performance: Performance,
    presentation: Iterable[tuple[int, NDArray[np.uint8]]],
    shown: NDArray[np.integer],
    tracks: FaceTracks,
    calibration: Calibration,
) -> Iterator[MouthPatch]:
    """Yield a patch for every output frame, in order, holding a few frames.

    presentation: template frame and its picture, uint8 (height, width, 3) BGR, for every output frame.
    shown: (frames,), the same template frames, known beforehand.
    """
    strength = presence_strength(tracks.present[shown])
    renderer = MouthRenderer()
    for seen in observe(presentation, tracks, calibration):
        yield _patch(renderer, seen, performance, float(strength[seen.output_frame]), tracks, calibration)


def _patch(
    renderer: MouthRenderer,
    seen: Observation,
    performance: Performance,
    strength: float,
    tracks: FaceTracks,
    calibration: Calibration,
) -> MouthPatch:
    untouched = MouthPatch(seen.output_frame, seen.template_frame)
    if seen.contours is None or seen.light is None or strength == 0:
        return untouched
    asked = performance.ask(seen.output_frame, seen.contours, calibration.corner_shift[seen.template_frame])
    target = between(seen.contours, asked.target, strength)
    if largest_move(seen.contours, target) < UNSEEN_MOVE and asked.jaw * strength < UNSEEN_MOVE:
        return untouched
    landmarks = calibration.landmarks[seen.template_frame]
    own_drop = _own_jaw_drop(seen, float(landmarks[7:10, 1].mean()), calibration)
    patch = renderer.render(
        seen.frame,
        tracks.head[seen.template_frame],
        landmarks,
        seen.contours,
        target,
        jaw=strength * (asked.jaw - own_drop),
        rounding=asked.rounding * strength,
        light=seen.light,
        own_teeth=float(calibration.own_teeth[seen.template_frame]),
    )
    if patch is None:
        return untouched
    return MouthPatch(seen.output_frame, seen.template_frame, patch.left, patch.top, patch.pixels)


def _own_jaw_drop(seen: Observation, chin: float, calibration: Calibration) -> float:
    """How far the template's own open mouth has lowered its jaw: that much it rises when the mouth is closed."""
    if seen.contours is None:
        return 0.0
    usual = jaw_drop(max(0.0, seen.contours.gap))
    return float(np.clip(chin - calibration.neutral_chin, 0, usual) * calibration.parted[seen.template_frame])
