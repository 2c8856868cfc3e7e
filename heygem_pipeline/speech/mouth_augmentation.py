"""Making few voices count as many: other microphones, rooms, throats and tempos, on the mel itself."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import MEL_BANDS

DECIBELS_PER_UNIT = 12.5
"""One unit of Wav2Lip's normalised log-mel."""
_NEPERS_PER_UNIT = DECIBELS_PER_UNIT / 20 * np.log(10)
_CURVE_KNOTS = np.linspace(0, MEL_BANDS - 1, 6)
_BANDS = np.arange(MEL_BANDS)

TEMPO = (0.9, 1.12)
EQUALISER_UNITS = 0.35
THROAT_BANDS = 4.0
NOISE_UNITS = (-4.5, -1.5)


def augmented(mel: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """Return a changed copy of a piece of log-mel, float32 (rows, 80), -4..4.

    Always a random equaliser (4 dB); every second time a longer or shorter vocal tract, every second time steady noise,
    every third time a short dropout.
    """
    changed = mel.astype(np.float64)
    if chance.random() < 0.5:
        changed = _shifted_formants(changed, chance.uniform(-THROAT_BANDS, THROAT_BANDS))
    changed += _curve(EQUALISER_UNITS, chance) * (changed > -3.9)
    if chance.random() < 0.5:
        changed = _with_noise(changed, chance)
    if chance.random() < 0.3:
        start = int(chance.integers(0, max(1, len(mel) - 12)))
        changed[start : start + int(chance.integers(3, 12))] = -1.0
    return np.clip(changed, -4, 4).astype(np.float32)


def _curve(deviation: float, chance: np.random.Generator) -> NDArray[np.float64]:
    return np.interp(_BANDS, _CURVE_KNOTS, chance.normal(0, deviation, len(_CURVE_KNOTS)))


def _shifted_formants(mel: NDArray[np.float64], bands: float) -> NDArray[np.float64]:
    source = np.clip(_BANDS + bands * np.linspace(0.3, 1, MEL_BANDS), 0, MEL_BANDS - 1)
    below = np.minimum(source.astype(int), MEL_BANDS - 2)
    share = source - below
    return mel[:, below] * (1 - share) + mel[:, below + 1] * share


def _with_noise(mel: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    noise = _curve(0.3, chance) + chance.uniform(*NOISE_UNITS) + chance.normal(0, 0.25, mel.shape)
    return np.logaddexp(mel * _NEPERS_PER_UNIT, noise * _NEPERS_PER_UNIT) / _NEPERS_PER_UNIT
