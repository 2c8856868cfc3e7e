"""From speech to the shape of a mouth, frame by frame."""

from fractions import Fraction

import numpy as np

from heygem_pipeline.faces.mouth_measure import MouthShape
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline.speech.lip_closures import LIP_AT_TEETH, close_lips, closure_strength, known_strength
from heygem_pipeline.speech.mouth_motion import low_pass, match_quantiles, normalise_range, speech_envelope
from heygem_pipeline.speech.mouth_network import CHANNELS, MouthNetwork, load_network


def predict_mouth_shape(
    speech: SpeechFeatures, frame_rate: Fraction, frame_count: int, network: MouthNetwork | None = None
) -> MouthShape:
    """Return the mouth's shape at the times k / frame_rate, in standard units; silence gives exactly 0 throughout.

    Args:
        speech: features of the voice, its movement predicted by the network.
        frame_rate: frames a second.
        frame_count: number of frames.
        network: default, the one the package ships.

    Returns:
        gap, jaw, lower, upper: 0 = the person's closed mouth (the median of the 8 % of frames with the smallest gaps),
        1 = the person's wide opening (90th percentile while speaking). All grow as the mouth opens: 1 in ``upper`` is
        the upper lip as high, 1 in ``lower`` and ``jaw`` the lower lip and chin as low, as in that opening. gap is
        never negative; values reach about 1.5. Where the lips touch inside speech (m, b, p) the gap is 0 for 40 to
        140 ms and upper a little below 0; closing takes 75 ms. width: 0 = the closed mouth's usual width, 1 = one
        standard deviation of that person's width in speech wider, about -3 (rounded lips) to 2 (spread). rounding,
        rolling: likewise, more than at rest.
    """
    network = network or load_network()
    openness = speech_envelope(speech)
    spoken = openness > 0.5
    said = low_pass(speech.movement)
    movement, closure = said[:, : len(CHANNELS)], said[:, len(CHANNELS)]
    motion = match_quantiles(movement, spoken, network.predicted[: len(CHANNELS)], network.measured)
    motion[:, 0] = np.maximum(motion[:, 0], 0)
    if speech.closures is None:
        closure = normalise_range(closure, spoken, network.predicted[len(CHANNELS)])
        motion = close_lips(motion, closure_strength(closure, *map(float, network.closing)))
    else:
        motion = close_lips(motion, known_strength(speech.closures, len(motion), touching=False), LIP_AT_TEETH)
        motion = close_lips(motion, known_strength(speech.closures, len(motion)))
    motion *= openness[:, None]
    times = np.arange(frame_count) * float(1 / frame_rate)
    rows = np.arange(len(motion)) / FEATURE_RATE
    return MouthShape(*(np.interp(times, rows, channel, right=0).astype(np.float32) for channel in motion.T))
