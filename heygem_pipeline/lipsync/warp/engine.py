"""The default engine: needs no download and no GPU. Speech -> mouth shape -> the presenter's own pixels.

A presenter who shows many mouths has them laid over the warped face; another has the mouth warped and drawn.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction

import numpy as np

from heygem_pipeline.faces.mouth_measure import MouthShape
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline.lipsync.warp.analysis.observation import record_of
from heygem_pipeline.lipsync.warp.articulation.performance import SpeechPerformance
from heygem_pipeline.lipsync.warp.articulation.retargeting import retarget
from heygem_pipeline.lipsync.warp.drawing_area import drawing_areas
from heygem_pipeline.lipsync.warp.exemplars.collection import collect_exemplars
from heygem_pipeline.lipsync.warp.sequence_renderer import render_performance
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.messages.message import Message
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.storage.version_strings import name_and_version

MouthModel = Callable[[SpeechFeatures, Fraction, int], MouthShape]
"""Speech, frame rate and frame count in; the mouth's shape in standard units out."""


class WarpEngine:
    """Warps the presenter's own mouth; a pure function of its input, bit for bit."""

    name = "warp"
    version = "7"
    device = "cpu"
    licence = Message("licence.warp")

    def __init__(self, mouth_model: MouthModel | None = None) -> None:
        """Make an engine.

        Args:
            mouth_model: what turns speech into mouth shapes; default, the one the package ships.
        """
        self._mouth_model = mouth_model

    def generate(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        presenter_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        """Yield a patch for every output frame, in order; see ``LipSyncEngine``."""
        model = self._mouth_model or _shipped_model()
        count = speech.frame_count(tracks.frame_rate)
        if not tracks.present.any():
            yield from (MouthPatch(position, ping_pong(position, len(tracks))) for position in range(count))
            return
        calibration = calibrate(tracks, presenter_speech)
        articulations = retarget(model(speech, tracks.frame_rate, count), calibration)
        shown = np.array([ping_pong(position, len(tracks)) for position in range(count)])
        areas = drawing_areas(tracks, calibration.landmarks)
        exemplars = collect_exemplars(sequence.frames, tracks, calibration, areas=areas)
        performance = SpeechPerformance(articulations)
        record = record_of(tracks, calibration, name_and_version(self.name, self.version))
        with closing(prefetch(sequence.presentation(count, areas), FRAMES_AHEAD)) as presentation:
            yield from render_performance(
                performance, presentation, shown, tracks, calibration, exemplars, record=record
            )
        record.save()


def engine_of(_settings: EngineSettings) -> WarpEngine:
    """The engine as the entry point ``warp`` makes it."""
    return WarpEngine()


def _shipped_model() -> MouthModel:
    from heygem_pipeline.speech.mouth_shape import predict_mouth_shape

    return predict_mouth_shape
