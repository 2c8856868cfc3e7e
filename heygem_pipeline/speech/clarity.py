"""Is the speech good enough to move a mouth by? What is doubtful warns, it is never refused."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import DEFAULTS, UploadLimits
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.level import loudness, mean_level

CLEAR_SNR_DB = 15.0
"""Measured on 32 recordings: those with disturbing noise or music have 1 to 10 dB, the others 17 and more."""
QUIET_DBFS = -45.0
"""Recordings softer than this usually had the wrong microphone or gain."""
LITTLE_SPEECH_SHARE = 0.2
SURE_SPEECH, SURE_PAUSE = 0.7, 0.3
_FEWEST_PAUSE_ROWS = FEATURE_RATE // 4


def speech_warnings(features: SpeechFeatures, limits: UploadLimits = DEFAULTS) -> list[Message]:
    """Return a message for each doubt about the speech; none for clear speech.

    Told apart: no speech at all (a tone, music), little speech, noise, very quiet, long. Several voices at once are not
    looked for: nothing cheap enough was found that does not also accuse one lively voice.
    """
    warnings = []
    share = speech_share(features)
    seconds = share * float(features.duration)
    if seconds < limits.min_speech_seconds:
        warnings.append(Message("speech.none"))
    elif share < LITTLE_SPEECH_SHARE:
        warnings.append(Message("speech.little", share=share))
    snr = speech_to_noise(features)
    if seconds >= limits.min_speech_seconds and snr < CLEAR_SNR_DB:
        warnings.append(Message("speech.noisy", decibels=max(snr, 0.0)))
    loud = loudness(features.level)
    if loud < QUIET_DBFS:
        warnings.append(Message("speech.quiet", level=loud))
    minutes = float(features.duration) / 60
    if minutes > limits.long_minutes:
        warnings.append(Message("speech.long", minutes=minutes, limit=limits.long_minutes))
    return warnings


def speech_share(features: SpeechFeatures) -> float:
    """Share of the time, 0..1, in which speech is likely."""
    return float(np.mean(features.activity > 0.5))


def speech_to_noise(features: SpeechFeatures) -> float:
    """Estimated speech-to-noise ratio in dB: mean level while somebody speaks over the middle level of the pauses.

    With under a quarter of a second of pauses, the softest twentieth of all rows stands for them.
    """
    pauses: NDArray[np.float32] = features.level[features.activity < SURE_PAUSE]
    noise = np.median(pauses) if len(pauses) >= _FEWEST_PAUSE_ROWS else np.percentile(features.level, 5)
    return mean_level(features.level[features.activity > SURE_SPEECH]) - float(noise)
