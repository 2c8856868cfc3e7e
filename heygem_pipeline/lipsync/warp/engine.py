"""The default engine: needs no download and no GPU. Speech -> mouth shape -> the template's own pixels, warped."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from heygem_pipeline.faces.mouth import MouthShape
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.calibration import Calibration, calibrate
from heygem_pipeline.lipsync.warp.drive import drive, presence_strength
from heygem_pipeline.lipsync.warp.observation import Observation, observe
from heygem_pipeline.lipsync.warp.renderer import MouthRenderer
from heygem_pipeline.lipsync.warp.target import Articulation, between, jaw_drop, largest_move, speaking
from heygem_pipeline.media.template import Template
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.speech.features import SpeechFeatures

MouthModel = Callable[[SpeechFeatures, Fraction, int], MouthShape]
"""Speech, frame rate and frame count in; the mouth's shape in standard units out."""

UNSEEN_MOVE = 0.0015
"""IOD: shapes closer than this are the same, and the template's pixels stay as they are (0.15 px of a 100 px IOD)."""


class WarpEngine:
    """Warps the template's own mouth; a pure function of its input, bit for bit."""

    name = "warp"
    version = "2"

    def __init__(self, mouth_model: MouthModel | None = None) -> None:
        """mouth_model: what turns speech into mouth shapes; default, the one the package ships."""
        self._mouth_model = mouth_model

    def generate(
        self,
        speech: SpeechFeatures,
        template: Template,
        tracks: FaceTracks,
        template_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        """Yield a patch for every output frame, in order; see ``LipSyncEngine``."""
        model = self._mouth_model or _shipped_model()
        count = speech.frame_count(tracks.frame_rate)
        if not tracks.present.any():
            yield from (MouthPatch(position, ping_pong(position, len(tracks))) for position in range(count))
            return
        calibration = calibrate(tracks, template_speech)
        articulations = drive(model(speech, tracks.frame_rate, count), calibration)
        shown = np.array([ping_pong(position, len(tracks)) for position in range(count)])
        strength = presence_strength(tracks.present[shown])
        renderer = MouthRenderer()
        for seen in observe(template.presentation(count), tracks, calibration):
            wanted = articulations[seen.output_frame]
            yield _patch(renderer, seen, wanted, float(strength[seen.output_frame]), tracks, calibration)


def _patch(
    renderer: MouthRenderer,
    seen: Observation,
    wanted: Articulation,
    strength: float,
    tracks: FaceTracks,
    calibration: Calibration,
) -> MouthPatch:
    untouched = MouthPatch(seen.output_frame, seen.template_frame)
    if seen.contours is None or seen.light is None or strength == 0:
        return untouched
    asked = speaking(seen.contours, calibration.corner_shift[seen.template_frame], wanted)
    target = between(seen.contours, asked, strength)
    if largest_move(seen.contours, target) < UNSEEN_MOVE and wanted.jaw * strength < UNSEEN_MOVE:
        return untouched
    landmarks = calibration.landmarks[seen.template_frame]
    own_drop = _own_jaw_drop(seen, float(landmarks[7:10, 1].mean()), calibration)
    patch = renderer.render(
        seen.frame,
        tracks.head[seen.template_frame],
        landmarks,
        seen.contours,
        target,
        jaw=strength * (wanted.jaw - own_drop),
        rounding=wanted.rounding * strength,
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


def _shipped_model() -> MouthModel:
    from heygem_pipeline.speech.mouth_shape import predict_mouth_shape

    return predict_mouth_shape
