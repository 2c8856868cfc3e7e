"""Making few voices count as many: other microphones, rooms, throats and tempos, on the mel itself."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS
from heygem_pipeline.speech.mel import band_corners

DECIBELS_PER_UNIT = 12.5
"""One unit of Wav2Lip's normalised log-mel."""
_NEPERS_PER_UNIT = DECIBELS_PER_UNIT / 20 * np.log(10)
_CURVE_KNOTS = np.linspace(0, MEL_BANDS - 1, 6)
_BANDS = np.arange(MEL_BANDS)

TEMPO = (0.9, 1.12)
EQUALISER_UNITS = 0.35
LARGEST_WARP = 0.18
"""Natural logarithm of the ratio of vocal tract lengths: children's and men's differ by about twice as much."""
NOISE_UNITS = (-4.5, -1.5)
REVERBERATION_SECONDS = (0.2, 0.8)
"""Time in which the room's sound falls by 60 dB."""
REVERBERATION_DB = (-18.0, -6.0)
"""Power of the room's sound against the voice's own."""


def augmented(mel: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """Return a changed copy of a piece of log-mel, float32 (rows, 80), -4..4.

    Always a random equaliser (4 dB); mostly a longer or shorter vocal tract; often a room, or steady noise; sometimes a
    short dropout. Measured on people held out (mean correlation of the gap in 24 addresses, one network a fold):
    nothing 0.538, all but the room and with formants shifted by bands 0.552, as here 0.558; with stronger equalising,
    other voices mixed in and bands left out as well 0.549.
    """
    changed = mel.astype(np.float64)
    if chance.random() < 0.7:
        changed = _other_throat(changed, float(np.exp(chance.uniform(-LARGEST_WARP, LARGEST_WARP))))
    changed += _curve(EQUALISER_UNITS, chance) * (changed > -3.9)
    if chance.random() < 0.4:
        changed = _in_a_room(changed, chance)
    if chance.random() < 0.5:
        changed = _with_noise(changed, chance)
    if chance.random() < 0.3:
        start = int(chance.integers(0, max(1, len(mel) - 12)))
        changed[start : start + int(chance.integers(3, 12))] = -1.0
    return np.clip(changed, -4, 4).astype(np.float32)


def _curve(deviation: float, chance: np.random.Generator) -> NDArray[np.float64]:
    return np.interp(_BANDS, _CURVE_KNOTS, chance.normal(0, deviation, len(_CURVE_KNOTS)))


@cache
def _band_hertz() -> NDArray[np.float64]:
    """Middles of the mel bands."""
    return band_corners()[1:-1]


def _other_throat(mel: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """Pitch and formants divided by the ratio."""
    source = np.interp(_band_hertz() * ratio, _band_hertz(), _BANDS)
    below = np.minimum(source.astype(int), MEL_BANDS - 2)
    share = source - below
    return mel[:, below] * (1 - share) + mel[:, below + 1] * share


def _in_a_room(mel: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    """Power that decays exponentially is left behind every row."""
    from scipy.signal import lfilter

    decay = float(10 ** (-6 / (FEATURE_RATE * chance.uniform(*REVERBERATION_SECONDS))))
    share = float(10 ** (chance.uniform(*REVERBERATION_DB) / 10)) * (1 - decay)
    power = np.exp(2 * _NEPERS_PER_UNIT * mel)
    left_behind = np.asarray(lfilter([0.0, share], [1.0, -decay], power, axis=0))
    return np.log(power + left_behind) / (2 * _NEPERS_PER_UNIT)


def _with_noise(mel: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    noise = _curve(0.3, chance) + chance.uniform(*NOISE_UNITS) + chance.normal(0, 0.25, mel.shape)
    return np.logaddexp(mel * _NEPERS_PER_UNIT, noise * _NEPERS_PER_UNIT) / _NEPERS_PER_UNIT
