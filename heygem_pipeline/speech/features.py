"""What is known of a voice: the table that both engines and the checks read."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.media.timeline import count_frames

FEATURE_RATE = 80
"""Rows a second (16 000 Hz / hop of 200 samples)."""

MEL_BANDS = 80


@dataclass(frozen=True)
class SpeechFeatures:
    """Features of one voice, one row every 1/80 s; row k is centred on k/80 s.

    Attributes:
        duration: exact length of the upload's sound, seconds.
        log_mel: float32 (rows, 80), Wav2Lip's normalised log-mel, -4..4, of the level-normalised speech.
        level: float32 (rows,), RMS level of the upload as it is, dBFS (-100 = digital silence).
        activity: float32 (rows,), probability of speech, 0..1.
    """

    duration: Fraction
    log_mel: NDArray[np.float32]
    level: NDArray[np.float32]
    activity: NDArray[np.float32]

    def frame_count(self, frame_rate: Fraction) -> int:
        """Number of video frames the finished clip has: round(duration x frame rate), at least 1."""
        return count_frames(self.duration, frame_rate)
