"""How loud the speech is, row by row, and the gain that brings every upload to the same loudness."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.mel import HOP

DIGITAL_SILENCE_DBFS = -100.0
SILENCE_DBFS = -70.0
"""What never rises above this is silent: the absolute gate of ITU-R BS.1770-4, below the noise of any room."""
RELATIVE_GATE_DB = 10.0
"""Rows this far below the mean are pauses, not speech (ITU-R BS.1770-4)."""
TARGET_DBFS = -23.0
"""Loudness the mel is computed at: EBU R 128's programme level, near that of the recordings Wav2Lip learnt from."""


def row_levels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the RMS level of the 25 ms around each feature row.

    Args:
        samples: float32 (n,), 16 kHz.

    Returns:
        Float32 (1 + n // 200,), dBFS, at least -100.
    """
    rows = 1 + len(samples) // HOP
    whole = (len(samples) // HOP) * HOP
    power = np.zeros(rows + 1)
    blocks = samples[:whole].reshape(-1, HOP)
    power[1:rows] = np.einsum("bs,bs->b", blocks, blocks, dtype=np.float64) / HOP
    rest = samples[whole:].astype(np.float64)
    power[rows] = rest @ rest / HOP
    around = (power[:-1] + power[1:]) / 2
    return decibels(around).astype(np.float32)


def decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """10 log10 of a power relative to full scale, at least -100."""
    return 10 * np.log10(np.maximum(power, 10 ** (DIGITAL_SILENCE_DBFS / 10)))


def mean_level(levels: NDArray[np.floating]) -> float:
    """Level in dBFS of the mean power of rows; -100 for no rows."""
    if not len(levels):
        return DIGITAL_SILENCE_DBFS
    return float(decibels(np.mean(10 ** (np.asarray(levels, np.float64) / 10), keepdims=True))[0])


def loudness(levels: NDArray[np.floating]) -> float:
    """Loudness in dBFS of what is not pause: the two-stage gate of ITU-R BS.1770-4 on 25 ms rows, unweighted."""
    audible = levels[levels > SILENCE_DBFS]
    return mean_level(audible[audible > mean_level(audible) - RELATIVE_GATE_DB])


def normalising_gain(levels: NDArray[np.floating]) -> float:
    """The factor that brings sound of these levels to TARGET_DBFS; 1 for silence."""
    loud = loudness(levels)
    return 1.0 if loud <= SILENCE_DBFS else float(10 ** ((TARGET_DBFS - loud) / 20))
