"""Speech that asks for a given mouth, and landmarks other than those that were read."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.mesh_points import lip_lines_of
from heygem_pipeline.faces.mouth_measure import MouthShape
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.engine import WarpEngine
from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS, MOVEMENTS, SpeechFeatures


def with_landmarks(tracks: FaceTracks, landmarks: NDArray[np.float32]) -> FaceTracks:
    """The tracks with other landmarks, and the lips' lines drawn through them."""
    return replace(tracks, landmarks=landmarks, lips=lip_lines_of(landmarks))


def speech_of(frames: int, activity: float = 1.0, frame_rate: Fraction = Fraction(25)) -> SpeechFeatures:
    """Features that last ``frames`` video frames; what they hold matters only to the shipped model."""
    duration = frames / frame_rate
    rows = int(duration * FEATURE_RATE) + 1
    return SpeechFeatures(
        duration=duration,
        log_mel=np.full((rows, MEL_BANDS), -4, np.float32),
        level=np.full(rows, -100, np.float32),
        activity=np.full(rows, activity, np.float32),
        movement=np.zeros((rows, len(MOVEMENTS)), np.float32),
    )


def asking_for(gap: NDArray[np.floating], width: float = 0.0) -> WarpEngine:
    """An engine whose speech asks for these openings, standard units, whatever is heard."""

    def model(speech: SpeechFeatures, frame_rate: Fraction, frame_count: int) -> MouthShape:
        asked = np.resize(gap, frame_count).astype(np.float32)
        return MouthShape(asked, np.full_like(asked, width), asked, asked, asked, asked * 0, asked * 0)

    return WarpEngine(model)


def patches(engine: WarpEngine, presenter: HeldPresenter, frames: int) -> list[MouthPatch]:
    """All patches of a clip of that many frames."""
    return list(engine.generate(speech_of(frames), presenter.sequence, presenter.tracks))
