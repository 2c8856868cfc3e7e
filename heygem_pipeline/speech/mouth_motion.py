"""From the network's output to motion a face can wear: full amplitude while somebody speaks, closed in silence."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.level import DIGITAL_SILENCE_DBFS, loudness

SURE, LIKELY = 0.6, 0.35
"""A stretch of speech is where the detector stays above LIKELY and somewhere rises above SURE."""
DETECTOR_BLUR = 5
"""Rows by which a stretch is widened before the level decides: the detector steps by 32 ms and reacts late."""
AUDIBLE_DB = 30.0
"""Speech sounds lie within this much of the voice's loudness; what is softer is a pause."""
ABOVE_NOISE_DB = 4.0

ATTACK = 4
"""Rows: the lips begin to part up to 100 ms before the sound (half way at 50 ms)."""
HANGOVER = 10
"""Rows: the mouth stays for 75 ms after the sound and is closed 100 ms later (half way at 125 ms)."""
RAMP = 4

PRIOR_ROWS = 240
"""A voice's own range counts fully only when there are many seconds of it: 3 s of the training voices' are mixed in."""
SMALLEST_STRETCH, LARGEST_STRETCH = 0.7, 1.5
LOW, HIGH = 10, 90
SMOOTHING = np.array([0.25, 0.5, 0.25])


def spoken_openness(speech: SpeechFeatures) -> NDArray[np.float64]:
    """Return float64 (rows,): 1 while somebody speaks, exactly 0 in silence, with ramps of 100 ms between."""
    sounding = _widen(_speech_stretches(speech.activity), DETECTOR_BLUR, DETECTOR_BLUR) & _audible(speech)
    mask = _widen(sounding, ATTACK, HANGOVER).astype(np.float64)
    window = np.hanning(2 * RAMP + 3)[1:-1]
    padded = np.pad(mask, RAMP, mode="edge")
    smooth = np.convolve(padded, window / window.sum(), mode="valid")
    return np.where(smooth < 1e-9, 0.0, np.minimum(smooth, 1.0))


def full_amplitude(
    movement: NDArray[np.floating],
    spoken: NDArray[np.bool_],
    predicted: NDArray[np.floating],
    measured: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the movement in standard units, as lively as measured mouths (a regression shrinks): quantiles are
    matched.

    movement: (rows, channels). spoken: (rows,), rows that count. predicted, measured: (channels, knots) matching
    quantiles. First the voice's own range (10th to 90th percentile) is brought near that of the training voices, then
    each value takes the measured value of its quantile.
    """
    result = np.empty(movement.shape)
    for channel, (knots, values) in enumerate(zip(predicted, measured, strict=True)):
        curve = _usual_range(movement[:, channel].astype(np.float64), spoken, knots)
        result[:, channel] = np.interp(curve, knots, values)
    return result


def smoothed(motion: NDArray[np.floating]) -> NDArray[np.float64]:
    """A light low-pass along time (1-2-1 over rows): 80 Hz ripples would alias at video rates."""
    padded = np.pad(motion, ((1, 1), (0, 0)), mode="edge")
    return SMOOTHING[0] * padded[:-2] + SMOOTHING[1] * padded[1:-1] + SMOOTHING[2] * padded[2:]


def _usual_range(
    curve: NDArray[np.float64], spoken: NDArray[np.bool_], knots: NDArray[np.floating]
) -> NDArray[np.float64]:
    usual_low, usual_high = np.percentile(knots, (LOW, HIGH))
    count = int(spoken.sum())
    if not count:
        return curve
    trust = count / (count + PRIOR_ROWS)
    own_low, own_high = np.percentile(curve[spoken], (LOW, HIGH))
    low = trust * own_low + (1 - trust) * usual_low
    high = trust * own_high + (1 - trust) * usual_high
    stretch = np.clip((usual_high - usual_low) / max(high - low, 1e-6), SMALLEST_STRETCH, LARGEST_STRETCH)
    return (curve - (low + high) / 2) * stretch + (usual_low + usual_high) / 2


def _speech_stretches(activity: NDArray[np.float32]) -> NDArray[np.bool_]:
    likely = activity > LIKELY
    begins = np.flatnonzero(np.diff(likely, prepend=False) & likely)
    stretches = np.cumsum(np.isin(np.arange(len(likely)), begins)) * likely
    sure = np.unique(stretches[activity > SURE])
    return np.isin(stretches, sure[sure > 0])


def _audible(speech: SpeechFeatures) -> NDArray[np.bool_]:
    pauses = speech.level[speech.activity < 0.1]
    noise = float(np.median(pauses)) if len(pauses) >= FEATURE_RATE // 4 else DIGITAL_SILENCE_DBFS
    loud = loudness(speech.level)
    threshold = max(loud - AUDIBLE_DB, min(noise + ABOVE_NOISE_DB, loud - ABOVE_NOISE_DB))
    return speech.level > threshold


def _widen(mask: NDArray[np.bool_], before: int, after: int) -> NDArray[np.bool_]:
    """True from ``before`` rows before to ``after`` rows after each true row."""
    kernel = np.ones(before + after + 1)
    return np.convolve(mask, kernel, mode="full")[before : before + len(mask)] > 0.5
