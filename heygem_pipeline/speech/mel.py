"""Wav2Lip's normalised log-mel, the picture of sound that both engines read."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.speech.features import FEATURE_RATE, MEL_BANDS

SAMPLE_RATE = 16_000
HOP = SAMPLE_RATE // FEATURE_RATE
WINDOW = 800
PRE_EMPHASIS = 0.97
LOWEST_HZ, HIGHEST_HZ = 55.0, 7600.0
FLOOR = 1e-5
"""Magnitude below which the logarithm stops: -100 dB."""
REFERENCE_DB = 20.0
RANGE_DB = 100.0
LARGEST = 4.0
"""The constants above are those of the public Wav2Lip checkpoints (Rudrabha/Wav2Lip, hparams)."""

LINEAR_BELOW_HZ, LINEAR_HZ_A_MEL, LOGARITHM_A_MEL = 1000.0, 200 / 3, np.log(6.4) / 27
"""Slaney's scale: even up to 1 kHz, logarithmic above it."""

_BLOCK_COLUMNS = 1024
"""Columns computed at once (13 s): memory does not grow with length."""


def log_mel(samples: NDArray[np.float32], gain: float = 1.0) -> NDArray[np.float32]:
    """Return the normalised log-mel of mono sound at 16 kHz.

    Args:
        samples: float32 (n,), -1..1.
        gain: applied first.

    Returns:
        Float32 (1 + n // 200, 80), -4..4; row k is centred on k/80 s, and what lies before the first and after the last
            sample counts as silence (zeros).
    """
    columns = 1 + len(samples) // HOP
    result = np.empty((columns, MEL_BANDS), np.float32)
    for first in range(0, columns, _BLOCK_COLUMNS):
        last = min(first + _BLOCK_COLUMNS, columns)
        result[first:last] = _normalised_mel(np.float32(gain) * _emphasised(samples, first, last))
    return result


def _emphasised(samples: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """The pre-emphasised samples under the windows of columns ``first`` to ``last - 1``, zero where there are none."""
    start, stop = first * HOP - WINDOW // 2, (last - 1) * HOP + WINDOW // 2
    inside = slice(max(start, 0), min(stop, len(samples)))
    before = samples[inside.start - 1 : inside.start] if inside.start > 0 else np.zeros(1, np.float32)
    piece = np.concatenate([before, samples[inside]])
    emphasised = (piece[1:] - np.float32(PRE_EMPHASIS) * piece[:-1]).astype(np.float32, copy=False)
    return np.pad(emphasised, (inside.start - start, stop - inside.stop))


def _normalised_mel(emphasised: NDArray[np.float32]) -> NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP]
    magnitude = np.abs(np.fft.rfft(windows * hann(WINDOW), axis=1))
    decibels = 20 * np.log10(np.maximum(FLOOR, magnitude @ mel_bands(WINDOW, LOWEST_HZ, HIGHEST_HZ).T)) - REFERENCE_DB
    scaled = 2 * LARGEST * (decibels + RANGE_DB) / RANGE_DB - LARGEST
    return np.clip(scaled, -LARGEST, LARGEST).astype(np.float32)


@cache
def hann(window: int) -> NDArray[np.float32]:
    """Return the periodic Hann window: float32 (window,)."""
    phase = 2 * np.pi * np.arange(window) / window
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@cache
def mel_bands(window: int, lowest_hz: float, highest_hz: float) -> NDArray[np.float32]:
    """Return Slaney's mel filters (Auditory Toolbox, 1998), triangles of equal area: float32 (80, window // 2 + 1)."""
    corners = mel_corners(lowest_hz, highest_hz)
    from_corners = np.subtract.outer(corners, np.fft.rfftfreq(window, 1 / SAMPLE_RATE))
    width = np.diff(corners)[:, None]
    rising, falling = -from_corners[:-2] / width[:-1], from_corners[2:] / width[1:]
    bands = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    bands *= (2 / (corners[2:] - corners[:-2]))[:, None]
    return bands


def mel_corners(lowest_hz: float, highest_hz: float) -> NDArray[np.float64]:
    """Return where the triangles of the 80 filters begin, peak and end, Hz, float64 (82,)."""
    lowest, highest = _mel_of(lowest_hz), _mel_of(highest_hz)
    return _hertz_of(np.linspace(lowest, highest, MEL_BANDS + 2))


def _mel_of(hertz: float) -> float:
    if hertz < LINEAR_BELOW_HZ:
        return hertz / LINEAR_HZ_A_MEL
    return LINEAR_BELOW_HZ / LINEAR_HZ_A_MEL + float(np.log(hertz / LINEAR_BELOW_HZ)) / LOGARITHM_A_MEL


def _hertz_of(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = LINEAR_BELOW_HZ / LINEAR_HZ_A_MEL
    return np.where(
        mel < turn, mel * LINEAR_HZ_A_MEL, LINEAR_BELOW_HZ * np.exp(LOGARITHM_A_MEL * (np.maximum(mel, turn) - turn))
    )
