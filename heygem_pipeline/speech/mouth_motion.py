"""From the network's output to motion a face can wear: full amplitude while somebody speaks, closed in silence."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.level import DIGITAL_SILENCE_DBFS, loudness

CERTAIN_SPEECH, LIKELY_SPEECH = 0.5, 0.35
"""A stretch of speech is where the detector stays above LIKELY_SPEECH and somewhere rises above CERTAIN_SPEECH."""
EVIDENCE_ROWS = 3.0
"""By how much the detector's probability exceeds LIKELY_SPEECH, added up over the rows of a stretch: what has less is a
note of music or a click (bowed and blown notes made for the purpose have up to 2.4, the shortest words measured 3)."""
DETECTOR_BLUR, DETECTOR_TAIL = 5, 2
"""Rows by which a stretch is widened before and after it, before the level decides: the detector steps by 32 ms and
reacts late, to the end too. Where noise or music follows a word, a longer tail kept the mouth open."""
AUDIBLE_DB = 30.0
"""Speech sounds lie within this much of the voice's loudness; what is softer is a pause."""
ABOVE_NOISE_DB = 4.0

SHORTEST_PAUSE = 44
"""Rows (0.55 s): shorter breaks belong to the speech, and in them the network alone says what the mouth does. People
do not close theirs: in 59 breaks of people held out mouths stayed open by 0.46 of a wide opening at least, on average.
Closing from 0.39 s on cost 0.004 to 0.016 of the correlation."""

ATTACK = 20
"""Rows: within a talk the lips begin to part up to 300 ms before the sound (half way at 250 ms), as people's do.
Beginning at 175 ms cost 0.01 to 0.03 of the correlation with people held out."""
ATTACK_AFTER_REST = 4
"""The same after a rest: half way at 50 ms. People part their lips as early then; but such a mouth shall be quiet, and
the whole of this opening would count as motion where nobody speaks."""
SHORT_REST, LONG_REST = 64, 112
"""Rows (0.8 and 1.4 s): up to the first a silence lies within a talk, from the second on it is a rest."""
HANGOVER = 5
"""Rows: the mouth begins to close with the end of the sound and is closed 120 ms later (half way at 70 ms)."""
RAMP = 4

RANGE_PRIOR_ROWS = 240
"""A voice's own range counts fully only when there are many seconds of it: 3 s of the training voices' are mixed in."""
SMALLEST_RANGE_STRETCH, LARGEST_RANGE_STRETCH = 0.7, 1.5
RANGE_LOW_PERCENTILE, RANGE_HIGH_PERCENTILE = 10, 90
LOW_PASS_KERNEL = np.array([1, 4, 6, 4, 1]) / 16


def speech_envelope(speech: SpeechFeatures) -> NDArray[np.float64]:
    """Return float64 (rows,): 1 while somebody speaks, exactly 0 in silence, with ramps of 100 ms between."""
    sounding = _widen(_speech_stretches(speech.activity), DETECTOR_BLUR, DETECTOR_TAIL) & _audible(speech)
    mask = _parted(_widen(_without_short_breaks(sounding), 0, HANGOVER)).astype(np.float64)
    window = np.hanning(2 * RAMP + 3)[1:-1]
    padded = np.pad(mask, RAMP, mode="edge")
    smooth = np.convolve(padded, window / window.sum(), mode="valid")
    return np.where(smooth < 1e-9, 0.0, np.minimum(smooth, 1.0))


def match_quantiles(
    movement: NDArray[np.floating],
    spoken: NDArray[np.bool_],
    predicted: NDArray[np.floating],
    measured: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the movement in standard units, as lively as measured mouths (a regression shrinks): quantiles are
    matched.

    First the voice's own range (10th to 90th percentile) is brought near that of the training voices, then each value
    takes the measured value of its quantile.

    Args:
        movement: (rows, channels).
        spoken: (rows,), rows that count.
        predicted: (channels, knots) matching quantiles.
        measured: (channels, knots) matching quantiles.
    """
    result = np.empty(movement.shape)
    for channel, (knots, values) in enumerate(zip(predicted, measured, strict=True)):
        curve = normalise_range(movement[:, channel], spoken, knots)
        result[:, channel] = np.interp(curve, knots, values)
    return result


def low_pass(motion: NDArray[np.floating]) -> NDArray[np.float64]:
    """A light low-pass along time (binomial, over 5 rows): 80 Hz ripples would alias at video rates."""
    margin = len(LOW_PASS_KERNEL) // 2
    padded = np.pad(motion, ((margin, margin), (0, 0)), mode="edge")
    return sum(
        (weight * padded[first : first + len(motion)] for first, weight in enumerate(LOW_PASS_KERNEL)),
        start=np.zeros(motion.shape),
    )


def normalise_range(
    curve: NDArray[np.floating], spoken: NDArray[np.bool_], knots: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Shift and stretch a voice's curve (rows,) so that its range in speech comes near the training voices'.

    Args:
        knots: the training voices' quantiles. How near depends on how much is spoken.
    """
    usual_low, usual_high = np.percentile(knots, (RANGE_LOW_PERCENTILE, RANGE_HIGH_PERCENTILE))
    curve = curve.astype(np.float64)
    count = int(spoken.sum())
    if not count:
        return curve
    trust = count / (count + RANGE_PRIOR_ROWS)
    own_low, own_high = np.percentile(curve[spoken], (RANGE_LOW_PERCENTILE, RANGE_HIGH_PERCENTILE))
    low = trust * own_low + (1 - trust) * usual_low
    high = trust * own_high + (1 - trust) * usual_high
    stretch = np.clip((usual_high - usual_low) / max(high - low, 1e-6), SMALLEST_RANGE_STRETCH, LARGEST_RANGE_STRETCH)
    return (curve - (low + high) / 2) * stretch + (usual_low + usual_high) / 2


def _speech_stretches(activity: NDArray[np.float32]) -> NDArray[np.bool_]:
    likely = activity > LIKELY_SPEECH
    begins = np.diff(likely, prepend=False) & likely
    number = np.cumsum(begins) * likely
    evidence = np.bincount(number, weights=np.maximum(activity - LIKELY_SPEECH, 0))
    surest = np.zeros(len(evidence))
    np.maximum.at(surest, number, activity)
    speech = (evidence >= EVIDENCE_ROWS) & (surest > CERTAIN_SPEECH)
    speech[0] = False
    return speech[number]


def _without_short_breaks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    filled = mask.copy()
    edges = np.flatnonzero(np.diff(mask.astype(int))) + 1
    begins, ends = edges[mask[edges]], edges[~mask[edges]]
    for end in ends:
        later = begins[begins > end]
        if len(later) and later[0] - end < SHORTEST_PAUSE:
            filled[end : later[0]] = True
    return filled


def _parted(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True from some rows before each stretch of true rows on: lips part before the sound."""
    parted = mask.copy()
    edges = np.flatnonzero(np.diff(mask.astype(int))) + 1
    begins, ends = edges[~mask[edges - 1]], edges[mask[edges - 1]]
    for begin in begins:
        earlier = ends[ends < begin]
        rest = begin - (earlier[-1] if len(earlier) else 0)
        lead = round(float(np.interp(rest, (SHORT_REST, LONG_REST), (ATTACK, ATTACK_AFTER_REST))))
        parted[max(0, begin - lead) : begin] = True
    return parted


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
